"""Run the cases that stand beside the rules."""

from collections.abc import Sequence
from typing import NamedTuple

from policies.bundle import build_bundle
from policies.index import Index
from policies.model import DETECTORS, Case, Policy
from schemas.action import Action, read_action
from schemas.codec import encode
from schemas.verdict import Verdict

EVENT_ID = "00000000-0000-4000-8000-000000000000"


class CaseResult(NamedTuple):
    """What came of a case.

    Attributes:
        policy: the policy that the case stands in.
        case: its name.
        expected: the effect, and the rule where the case names one.
        got: the same of the verdict, the rule always named.
        passed: whether they agree.
        message: the deciding reason's.
    """

    policy: str
    case: str
    expected: str
    got: str
    passed: bool
    message: str


def run_cases(policies: Sequence[Policy]) -> list[CaseResult]:
    """Judge every case by all the policies together, as a bundle would.

    The cases of a policy in shadow are judged as if it alone of the shadows were enforced: they say what it
    will do.
    """
    index = Index(build_bundle(policies).content)
    results: list[CaseResult] = []
    for policy in policies:
        judge = index if policy.mode == "enforce" else _enforcing(policies, policy)
        results += [_run(judge, policy.metadata.name, case) for case in policy.cases]
    return results


def _enforcing(policies: Sequence[Policy], shadow: Policy) -> Index:
    enforced = shadow.model_copy(update={"mode": "enforce"})
    return Index(build_bundle([enforced if p is shadow else p for p in policies]).content)


def _run(index: Index, policy: str, case: Case) -> CaseResult:
    active = sum(1 << DETECTORS.index(d) for d in set(case.detections))
    verdict: Verdict = index.decide(case_action(case), active)
    by = verdict.reasons[0]
    expected = case.expect + (f" by {case.rule}" if case.rule else "")
    passed = verdict.effect.name == case.expect
    if case.rule:
        passed = passed and (by.policy, by.rule) == (policy, case.rule)
    got = f"{verdict.effect.name} by {by.policy}/{by.rule}"
    return CaseResult(policy, case.name, expected, got, passed, by.message)


def case_action(case: Case) -> Action:
    """The case's action as a worker would have it."""
    record = {"event_id": EVENT_ID, "occurred_at": 0, **case.action.model_dump()}
    return read_action(encode("action_event", record), received_at=0)
