"""Conditions: what compiles, what is refused and why, and that what fails is never "no match"."""

from typing import Any

import pytest

from policies.cel import BadCondition, compile_condition
from policies.types import RESERVED
from schemas.verdict import Effect
from tests.policies.builders import make_action, make_content, make_index


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("action.tol == 'x'", "undeclared reference to 'action.tol'"),
        ("lists.nobody.size() > 1", "undeclared reference to 'lists.nobody'"),
        ("action.tenant == 5", "no matching overload"),
        ("action.cost_usd > 1", "write a number with a point"),
        ("action.tenant", "must be true or false, this one is of type string"),
        ("args.dry_run", "compare it"),
        ("has(action.tool) && true", "overload"),
        ("has(action.tool)", r"write action.tool != ''"),
        ("1 +", "mismatched input"),
        ("(" * 40 + "true" + ")" * 40, "recursion limit"),
        (" + ".join(["1"] * 40) + " > 0", "recursion"),
        ("true || " * 600 + "true", "at most 4096"),
        ("[1].map(x, x)", "must be true or false"),
        ("sleep(5)", "undeclared reference to 'sleep'"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(BadCondition) as refused:
        compile_condition(text)
    assert told in str(refused.value)


def test_a_mistake_has_its_place() -> None:
    with pytest.raises(BadCondition) as refused:
        compile_condition("action.tool == 'x' &&\n  action.tol == 'y'")
    assert (refused.value.line, refused.value.column) == (2, 9)


LONG = f"[{','.join(['1'] * 40)}]"
ALLOWS = {"effect": "allow"}


@pytest.mark.parametrize(
    ("when", "fields", "why"),
    [
        ("args.to == 'bob'", {}, 'Key not found in map : "to"'),
        ("args.to == 'bob'", {"arguments": "{"}, "the arguments are no JSON"),
        ("args.to == 'bob'", {"arguments": "[]"}, "no JSON object"),
        ("args.to == 'bob'", {"arguments": '{"to": "bob", "to": "eve"}'}, "a key twice"),
        ("args.to == 'bob'", {"arguments": '{"to": "\\ud800"}'}, "half a character"),
        ("args.n > 1", {"arguments": '{"n": NaN}'}, "NaN, which is no JSON"),
        ("args.n > 1", {"arguments": '{"n": "much"}'}, "No matching overloads"),
        ("args.n / 0 > 1", {"arguments": '{"n": 1}'}, "divide by zero"),
        ("action.resource.matches(args.r)", {"arguments": '{"r": "["}'}, "invalid regular expression"),
        (f"{LONG}.all(a, {LONG}.all(b, {LONG}.all(c, a == b && b == c)))", {}, "Iteration budget exceeded"),
        ("args.deep == 1", {"arguments": '{"a":' * 3000 + "1" + "}" * 3000}, "the arguments are no JSON"),
    ],
)
def test_a_condition_that_fails_denies_and_says_why(when: str, fields: dict[str, Any], why: str) -> None:
    failing = {"effect": "allow", "when": when}
    verdict = make_index(make_content(ALLOWS, failing)).decide(make_action(**fields)).verdict
    assert verdict.effect is Effect.deny
    assert why in verdict.errors[0]
    assert verdict.reasons[0].rule == "r1"
    assert "could not be judged" in verdict.reasons[0].message


@pytest.mark.parametrize("effect", ["require_approval", "defer"])
def test_on_error_says_what_a_failure_does(effect: str) -> None:
    failing = {"effect": "allow", "when": "args.x == 1", "on_error": effect}
    verdict = make_index(make_content(ALLOWS, failing)).decide(make_action()).verdict
    assert verdict.effect is Effect[effect]
    assert verdict.errors


def test_a_failure_says_nothing_of_another_rules_condition() -> None:
    """One activation serves all conditions: broken arguments fail only those that look at them."""
    plain = {"effect": "allow", "when": "action.tool == 'x'"}
    other = {"effect": "require_approval", "when": "args.a == 1", "on_error": "require_approval"}
    verdict = make_index(make_content(plain, other)).decide(make_action(tool="x", arguments="{")).verdict
    assert [r.rule for r in verdict.reasons] == ["r1", "r0"]


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ("args.n > 9000000000000000000.0", {"arguments": '{"n": 123456789012345678901234567890}'}),
        ("args.n == 9223372036854775807", {"arguments": '{"n": 9223372036854775807}'}),
        ("args.n == -9223372036854775808", {"arguments": '{"n": -9223372036854775808}'}),
        ("args.size() == 0 && !has(args.x)", {}),
        ("args['odd key'] == 'ü😀'", {"arguments": '{"odd key": "\\u00fc\\ud83d\\ude00"}'}),
        ("action.tool == '' && action.model == ''", {}),
        ("action.labels.exists(k, k == 'env')", {"labels": {"env": "prod"}}),
        ("time.getFullYear() == 1970 && time.getHours() == 0", {}),
        ("action.input_tokens == 0 && action.cost_usd == 0.0", {}),
        ("'source-gap' in detections || detections.size() == 0", {}),
        ("agent.actions == 0 && session.age_seconds == 0", {}),
        ("action.content.contains('secret')", {"content": "a secret"}),
    ],
)
def test_a_condition_that_holds(when: str, fields: dict[str, Any]) -> None:
    verdict = (
        make_index(make_content({"effect": "allow", "when": when})).decide(make_action(**fields)).verdict
    )
    assert (verdict.effect, verdict.errors) == (Effect.allow, ())


def test_several_conditions_must_all_hold_and_one_that_does_not_absorbs_failures() -> None:
    made = make_index(make_content({"effect": "allow", "when": ["args.x == 1", "action.tool == 'x'"]}))
    verdict = made.decide(make_action(tool="y")).verdict
    assert (verdict.reasons[0].policy, verdict.errors) == (RESERVED, ())
    assert made.decide(make_action(tool="x")).verdict.errors
