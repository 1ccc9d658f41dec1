"""Run the cases that stand beside the rules."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from documents.case_action import build_action
from policies.bundle import build_bundle
from policies.candidates import Ruling
from policies.case import Case
from policies.counting import count, modify
from policies.index import Index
from policies.load import Loaded
from policies.model import Policy
from policies.sight import Cells
from policies.signals import Signals, bits_of
from schemas.action import Action
from schemas.verdict import Verdict


class CaseResult(NamedTuple):
    """What came of a case.

    Attributes:
        policy: the policy that the case stands in.
        case: its name.
        expected: the effect, and the rule or arguments where the case names them.
        got: the same of the verdict, the rule always named.
        passed: whether they agree.
        message: the deciding reason's.
        matched: every rule that matched, as policy/rule: what coverage counts.
    """

    policy: str
    case: str
    expected: str
    got: str
    passed: bool
    message: str
    matched: tuple[str, ...]


class Trial:
    """Policies ready to try cases on."""

    def __init__(self, loaded: Loaded, only: Policy | None = None) -> None:
        """Compile them; `only` is a policy to enforce that is not in force (in shadow, or a template)."""
        policies = [p.model_copy(update={"mode": "enforce"}) if p is only else p for p in loaded.policies]
        content = build_bundle(policies, loaded.detections, loaded.names).content
        self._facts: Mapping[str, int] = {}
        self._names = content.names
        self.index = Index(content, self._read)

    def _read(self, action: Action, cells: Cells) -> Mapping[str, int]:
        return self._facts

    def judge(self, case: Case) -> tuple[Verdict, str | None]:
        """What is decided of a case, after what came before it; and the modified arguments."""
        self._facts = {
            f"{holder}.{name}": number
            for holder, state in (("agent", case.agent), ("session", case.session))
            for name, number in state
        }
        signals = signals_of(case, self._names)
        action = case_action(case)
        cells: dict[str, bytes] = {}
        for _ in range(case.after):
            cells.update(self._decide(action, signals, cells)[1])
        verdict, _, ruling = self._decide(action, signals, cells)
        return verdict, ruling.modified_arguments

    def _decide(
        self, action: Action, signals: Signals, cells: Cells
    ) -> tuple[Verdict, dict[str, bytes], Ruling]:
        ruling = self.index.decide(action, signals, cells)
        verdict = ruling.verdict
        changes: dict[str, bytes] = {}
        if ruling.modified_arguments is not None:
            verdict = modify(verdict, ruling.modified_arguments)
        if ruling.charges:
            verdict, changes = count(action, verdict, ruling.charges, cells)
        return verdict, changes, ruling


def run_cases(loaded: Loaded) -> list[CaseResult]:
    """Judge every case by all the policies together, as a bundle would.

    The cases of a policy in shadow, or of a template, are judged as if it alone of those were enforced: they
    say what it will do.
    """
    together = Trial(loaded)
    results: list[CaseResult] = []
    for policy in loaded.policies:
        trial = together if policy.mode == "enforce" else Trial(loaded, policy)
        results += [_run(trial, policy.metadata.name, case) for case in policy.cases]
    return results


def _run(trial: Trial, policy: str, case: Case) -> CaseResult:
    verdict, modified = trial.judge(case)
    by = verdict.reasons[0]
    expected = case.expect + (f" by {case.rule}" if case.rule else "")
    got = f"{verdict.effect.name} by {by.policy}/{by.rule}"
    passed = verdict.effect.name == case.expect
    if case.rule:
        passed = passed and (by.policy, by.rule) == (policy, case.rule)
    if case.arguments is not None:
        expected += f" with {_short(case.arguments)}"
        arguments = json.loads(modified) if modified is not None else None
        got += f" with {_short(arguments)}"
        passed = passed and arguments == case.arguments
    matched = tuple(f"{r.policy}/{r.rule}" for r in verdict.reasons)
    return CaseResult(policy, case.name, expected, got, passed, by.message, matched)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "..."


def case_action(case: Case) -> Action:
    """The case's action as a worker would have it."""
    at = datetime.fromisoformat(case.at.replace("Z", "+00:00"))
    return build_action(case.action, round(at.timestamp() * 1000))


def signals_of(case: Case, names: Sequence[str]) -> Signals:
    """What the case says of detections; `names` are the bundle's."""
    return Signals(bits_of(names, case.detections), bits_of(names, case.recent_detections), case.risk)
