"""The policies that are shipped: each case as it says, each rule tried, the words of the language kept."""

import random

import pytest

from cli.policy_files import load_files
from detections.registry import DETECTORS as BUILDERS
from detections.source import IDS as SOURCE_IDS
from policies.bundle import build_bundle
from policies.case import CaseAction
from policies.cases import CaseResult, run_cases
from policies.load import Loaded
from policies.model import DetectionSettings
from policies.resolve import NO_NAMES
from policies.rule import Fields
from policies.types import CODED, DETECTORS
from schemas.catalogue import newest
from schemas.verdict import Effect
from tests.policies.builders import make_action, make_index, make_policy
from tests.policies.oracle import naive, told

LOADED = load_files(None)
RESULTS = run_cases(LOADED)


@pytest.mark.parametrize("result", RESULTS, ids=[f"{r.policy}: {r.case}" for r in RESULTS])
def test_case(result: CaseResult) -> None:
    assert result.passed, result


def test_every_rule_has_a_case_that_it_decides() -> None:
    tried = {(r.policy, r.got.rpartition("/")[2]) for r in RESULTS}
    rules = {(p.metadata.name, rule.id) for p in LOADED.policies for rule in p.rules}
    assert rules <= tried


def test_every_denial_is_tagged_and_graded() -> None:
    denials = [rule for p in LOADED.policies for rule in p.rules if rule.effect == "deny"]
    assert denials
    assert all(rule.tags and rule.severity for rule in denials)


def test_index_and_oracle_agree_on_the_library() -> None:
    content = build_bundle(LOADED.policies).content
    judged, rng = make_index(content), random.Random(7)
    resources = [c.action.resource for p in LOADED.policies for c in p.cases]
    actions = [c.action.action for p in LOADED.policies for c in p.cases]
    tools = [None, "send_money", "delete_file", "get_balance"]
    for _ in range(2000):
        action = make_action(
            action=rng.choice(actions),
            resource=rng.choice(resources),
            tool=rng.choice(tools),
            cost_usd=rng.choice([0.0, 7.0, 101.0]),
        )
        assert told(judged.decide(action).verdict) == naive(content, action)


def test_recorded_tool_calls_are_ordinary_work() -> None:
    judged = make_index(build_bundle(LOADED.policies).content)
    for phase in ("call", "result", "definition"):
        assert (
            judged.decide(make_action(action="call:tool", tool="send_money", phase=phase)).verdict.effect
            is Effect.allow
        )
    assert judged.decide(make_action(action="chat:model", phase="prompt")).verdict.effect is Effect.allow


def test_a_case_that_fails_says_what_happened() -> None:
    made = make_policy([{"effect": "allow"}])
    wrong = [r for r in run_cases(Loaded((made,), DetectionSettings(), {}, NO_NAMES)) if not r.passed]
    assert [(r.case, r.expected, r.got) for r in wrong] == [("deny", "deny", "allow by p/r0")]


def test_the_language_speaks_of_fields_and_detectors_that_exist() -> None:
    types = {f["name"]: f["type"] for f in newest("action_event").definition["fields"]}
    assert set(CaseAction.model_fields) <= set(types)
    assert {types[f] for f in Fields.model_fields} == {"long", "double"}
    settings = {f.alias for f in DetectionSettings.model_fields.values()}
    assert list(CODED) == list(BUILDERS)
    assert DETECTORS == (*CODED, *SOURCE_IDS)
    assert set(CODED) == settings
