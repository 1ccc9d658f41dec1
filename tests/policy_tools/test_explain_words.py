"""What an explanation says: the part that failed, the values it saw, what would have to change."""

import pytest

from judgement.facts import read_facts
from policies.explaining.conjuncts import conjuncts
from policies.explaining.explain import Explainer, Explanation
from policies.explaining.words import nearest, tell_changes, tell_decision, tell_step
from policies.signals import QUIET
from tests.policies.builders import make_action, make_content


def explain(*rules: dict[str, object], after: int = 0, **fields: object) -> Explanation:
    explainer = Explainer(make_content(*rules), read_facts)
    action = make_action(**fields)
    return explainer.explain(action, QUIET, explainer.repeat(action, QUIET, after))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a && b", ["a", "b"]),
        ("(a) && (b && c)", ["a", "b", "c"]),
        ("(a && b)", ["a", "b"]),
        ("(a) || (b && c)", ["(a) || (b && c)"]),
        ("a && b || c", ["a && b || c"]),
        ("(a || b) && c", ["a || b", "c"]),
        ("a ? b && c : d", ["a ? b && c : d"]),
        ("f('&& (', \"||\") && r'\\' == x", ["f('&& (', \"||\")", "r'\\' == x"]),
        ("x.exists(i, i > 1 && i < 3) && y", ["x.exists(i, i > 1 && i < 3)", "y"]),
    ],
)
def test_a_condition_is_taken_apart_where_it_says_and(text: str, parts: list[str]) -> None:
    assert conjuncts(text) == parts


def test_the_part_of_a_condition_that_does_not_hold_is_told_with_what_it_saw() -> None:
    rule = {"effect": "allow", "when": "has(args.to) && args.amount < 10 && action.tool == 'pay'"}
    told = explain(rule, tool="pay", arguments='{"to": "bob", "amount": 50}')
    (step,) = told.accounts[0].steps
    assert step.by == "args.amount < 10"
    assert step.saw == 'action.tool = "pay", args.amount = 50, args.to = "bob"'
    assert list(tell_changes(told)) == [
        "some rule must allow it; nearest are:",
        f"  p/r0: {tell_step(step)}",
    ]


def test_an_argument_that_is_not_there_is_told() -> None:
    told = explain({"effect": "allow", "when": "args.amount < 10"})
    assert told.accounts[0].status == "failed"
    assert list(tell_decision(told))[1] == (
        "a rule that cannot be judged is never 'no match': its on_error says deny"
    )
    assert "args.amount is absent" in tell_step(told.accounts[0].steps[0])


def test_a_limit_tells_how_much_is_used() -> None:
    rules = ({"effect": "allow"}, {"limit": {"calls": 2, "window": "1h"}})
    within, beyond = explain(*rules, after=1), explain(*rules, after=2)
    assert within.verdict.effect.name == "allow" and beyond.verdict.effect.name == "deny"
    told = [next(s for a in t.accounts for s in a.steps if s.key == "limit") for t in (within, beyond)]
    assert [s.saw for s in told] == [
        "1 of 2 used, this action counts 1",
        "2 of 2 used, this action counts 1",
    ]
    assert list(tell_decision(within))[-1] == "left of the limit of p/r1: 0"


def test_what_wins_and_what_is_in_the_way() -> None:
    told = explain(
        {"effect": "allow", "match": {"actions": ["read:*"]}},
        {"match": {"paths": ["/etc"]}},
        {"effect": "require_approval", "match": {"tools": ["cat"]}},
        resource="/srv/../etc/passwd",
        tool="cat",
    )
    assert list(tell_decision(told)) == [
        "denied by p/r1: m1",
        "deny wins over p/r2 (require_approval), p/r0 (allow), which matched too; no priority changes that",
    ]
    assert list(tell_changes(told)) == [
        "p/r1 must not match: it does by paths /etc",
        "p/r2 must not match: it does by tools cat",
    ]


def test_the_nearest_rules_speak_of_such_actions_and_miss_least() -> None:
    told = explain(
        {"effect": "allow", "match": {"actions": ["write:*"]}},
        {"effect": "allow", "match": {"actions": ["read:*"], "tools": ["x"], "tenants": ["y"]}},
        {"effect": "allow", "match": {"actions": ["read:*"], "paths": ["/srv"]}},
        resource="/etc/passwd",
    )
    assert [a.rule.id for a in nearest(told)] == ["r2", "r1"]
    assert list(tell_changes(explain({"match": {"tools": ["x"]}}))) == [
        "some rule must allow it: there is none for the action read:file"
    ]
