"""Each finding of a detector in code changes the verdict of its own action, and that of the next."""

import pytest

from detections.cases import NOON, DetectionCase
from judgement.judge import Judgement, judge
from judgement.loading import set_detections
from judgement.rules import Rules, compile_rules
from policies.bundle import build_bundle
from schemas.action import Action
from schemas.verdict import Effect
from tests.detections.coded import DETECTORS
from tests.detections.test_coded_cases import CASES, detector_of
from tests.policies.builders import make_action, make_policy

KINDS = tuple(kind for detector in DETECTORS.values() for kind in detector.ids)
DENIED = "/home/ann/payroll-2026.xlsx"


def first_case(kind: str) -> DetectionCase | None:
    cases = [param.values[0] for param in CASES]
    return next((c for c in cases if c.rule == kind and c.expect == "found"), None)


def history_of(kind: str) -> tuple[dict[str, object], list[Action]]:
    """Settings, and actions of which the last one is found; what was handed on needs a denial before."""
    case = first_case(kind)
    if case is not None:
        return case.settings, list(case.actions())
    assert kind == "delegation-privilege"
    denied = make_action(NOON, 1, phase="call", resource=DENIED)
    more = {"action": "delegate:agent", "resource": "helper", "content": f"open {DENIED}"}
    return {}, [denied, make_action(NOON + 1000, 2, phase="call", **more)]


def rules_for(kind: str, settings: dict[str, object]) -> Rules:
    rules = [
        {"id": "all", "effect": "allow", "match": {}},
        {"id": "files", "match": {"actions": ["read:file"], "resources": [DENIED]}},
        {"id": "now", "match": {"detections": [kind]}},
        {"id": "later", "match": {"recent_detections": [kind]}},
    ]
    return compile_rules(
        build_bundle([make_policy(rules)], set_detections({detector_of(kind).name: settings}))
    )


def judged_by(judgement: Judgement) -> list[str]:
    return [r.rule for r in judgement.verdict.reasons if r.effect is Effect.deny]


@pytest.mark.parametrize("kind", KINDS)
def test_a_finding_changes_the_verdict_of_its_action_and_of_the_next(kind: str) -> None:
    settings, actions = history_of(kind)
    rules = rules_for(kind, settings)
    last = actions[-1]
    after = make_action(
        last.received_at + 60_000,
        9999,
        phase="call",
        action="note:nothing",
        agent_id=last.agent_id,
        session_id=last.session_id,
    )
    cells: dict[str, bytes] = {}
    judged = []
    for action in (*actions, after):
        judged.append(judge(action, cells, rules))
        cells.update(judged[-1].changes)
    assert judged_by(judged[-2]) == ["now"]
    assert "later" in judged_by(judged[-1])
    assert all(judged_by(j) in ([], ["files"]) for j in judged[:-2])
