"""The policies that are shipped: each case as it says, each rule tried, the words of the language kept."""

import random
from pathlib import Path

import pytest

from cli.policy_files import load_files
from documents.case_action import CaseAction
from policies.cases import CaseResult, case_action, run_cases
from policies.load import Loaded
from policies.resolve import NO_NAMES
from policies.rule import Fields
from policies.signals import AS_BEFORE, QUIET
from policies.types import REFUSALS
from schemas.catalogue import newest
from schemas.verdict import Effect
from tests.policies.builders import make_action, make_index, make_policy
from tests.policies.oracle import Life, told

LOADED = load_files(None)
RESULTS = run_cases(LOADED)
EXTENDED = {base for p in LOADED.policies for base in p.extends or ()}
"""Templates whose rules are tried under the policy that extends them."""
OWASP = {f"ASI{number:02}" for number in range(1, 11)}
"""OWASP Top 10 for Agentic Applications 2026."""
ATLAS = {
    *("AML.T0034.002", "AML.T0050", "AML.T0051.001", "AML.T0053", "AML.T0055", "AML.T0081", "AML.T0085.001"),
    *("AML.T0086", "AML.T0098", "AML.T0101", "AML.T0105", "AML.T0109", "AML.T0110"),
}
"""Techniques of MITRE ATLAS that the library speaks of, as of version 5.6."""


@pytest.mark.parametrize("result", RESULTS, ids=[f"{r.policy}: {r.case}" for r in RESULTS])
def test_case(result: CaseResult) -> None:
    assert result.passed, result


def test_every_rule_has_a_case_that_it_decides() -> None:
    tried = {r.got.rpartition(" by ")[2] for r in RESULTS}
    rules = {
        f"{p.metadata.name}/{rule.id}"
        for p in LOADED.policies
        for rule in p.rules
        if p.mode != "template" or p.metadata.name not in EXTENDED
    }
    assert rules <= tried


def test_every_policy_and_rule_is_tried_both_ways() -> None:
    """A rule that restricts: an action that it stops, and one of the same kind that passes its policy."""
    for policy in LOADED.policies:
        stopped = {c.action.action for c in policy.cases if c.expect in REFUSALS}
        passed = {c.action.action for c in policy.cases if c.expect == "allow"}
        assert stopped and passed, policy.metadata.name


def test_every_restriction_is_graded_mapped_and_says_what_to_do() -> None:
    restricting = [rule for p in LOADED.policies for rule in p.rules if rule.effect in REFUSALS]
    assert len(restricting) > 40
    for rule in restricting:
        assert rule.severity and rule.runbook, rule.id
        assert any(tag in OWASP for tag in rule.tags), rule.id
        assert all(tag in OWASP or tag in ATLAS for tag in rule.tags), rule.id


def test_the_page_of_the_library_has_every_policy_and_rule() -> None:
    page = (Path(__file__).parents[2] / "docs/policies/library.md").read_text(encoding="utf-8")
    for policy in LOADED.policies:
        assert f"`{policy.metadata.name}`" in page
        assert all(f"`{rule.id}`" in page for rule in policy.rules), policy.metadata.name
    assert all(f"`{name}`" in page for name in LOADED.names.lists)


def test_ordinary_work_of_a_coding_agent_is_allowed() -> None:
    judged = make_index(LOADED.bundle().content)
    done = [
        ("read:file", "src/app.py"),
        ("write:file", "/workspace/src/app.py"),
        ("edit:file", "docs/how to.md"),
        ("delete:file", "build/out.o"),
        ("read:file", "/workspace/package.json"),
        ("list:file", "."),
        ("exec:shell", "git diff HEAD~1 -- src"),
        ("exec:shell", "git commit -m 'Rounds totals'"),
        ("exec:shell", "git push origin fix/rounding"),
        ("exec:shell", "pytest -q tests/test_app.py"),
        ("read:http", "https://docs.python.org/3/library/re.html"),
        ("search:web", "python rounding decimal"),
        ("query:db", "select sum(total) from orders"),
        ("chat:model", "model-large"),
        ("delegate:agent", "reviewer"),
    ]
    stopped = {
        (action, resource)
        for action, resource in done
        if judged.decide(make_action(action=action, resource=resource)).verdict.effect is not Effect.allow
    }
    assert stopped == set()


def test_index_and_oracle_agree_on_the_library() -> None:
    content = LOADED.bundle().content
    judged, rng, life = make_index(content), random.Random(7), Life()
    actions = [case_action(case) for policy in LOADED.policies for case in policy.cases]
    for _ in range(1000):
        action = rng.choice(actions)
        expected = life.naive(content, action, QUIET)
        assert told(life.indexed(judged, action, QUIET)) == expected


def test_recorded_tool_calls_are_ordinary_work() -> None:
    judged = make_index(LOADED.bundle().content)
    for phase in ("call", "result", "definition"):
        assert (
            judged.decide(make_action(action="call:tool", tool="send_money", phase=phase)).verdict.effect
            is Effect.allow
        )
    assert judged.decide(make_action(action="chat:model", phase="prompt")).verdict.effect is Effect.allow


def test_a_case_that_fails_says_what_happened() -> None:
    made = make_policy([{"effect": "allow"}])
    wrong = [r for r in run_cases(Loaded((made,), AS_BEFORE, {}, NO_NAMES)) if not r.passed]
    assert [(r.case, r.expected, r.got) for r in wrong] == [("deny", "deny", "allow by p/r0")]


def test_the_language_speaks_of_fields_and_detectors_that_exist() -> None:
    types = {f["name"]: f["type"] for f in newest("action_event").definition["fields"]}
    assert set(CaseAction.model_fields) <= set(types)
    assert {types[f] for f in Fields.model_fields} == {"long", "double"}
