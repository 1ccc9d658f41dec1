"""Runs the cases beside rules and detectors in code, by what workers run them by."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from detections.beside import PlacedCase
from detections.loading import Loaded
from detections.registry import DETECTORS
from detections.sigma.compiled import CompiledRules
from detections.sigma.correlation.compiled import Correlations
from detections.trying_code import run_code
from schemas.action import Action

SKEW_MS = 300_000
OWNERS = {name: detector.name for detector in DETECTORS for name in detector.ids}
"""By kind of finding the detector in code, as settings call it."""


class CaseResult(NamedTuple):
    """What came of a case.

    Attributes:
        placed: the case.
        found: every detection that the last event completes a finding of, those of code, too; not those that
            only correlations want.
        passed: whether that is as expected.
        errors: what could not be evaluated.
    """

    placed: PlacedCase
    found: frozenset[str]
    passed: bool
    errors: tuple[str, ...]

    @property
    def told(self) -> str:
        """What was expected and what came, in words."""
        rule, expected = self.placed.rule, self.placed.case.expect
        got = "found" if rule in self.found else "nothing"
        return f"expected {expected} of {rule}, got {got}"


class Trial:
    """Detections ready to try cases on."""

    def __init__(self, loaded: Loaded) -> None:
        """Compile them."""
        self._loaded = loaded
        self._names = [rule.name for rule in loaded.rules]
        self._rules = CompiledRules(loaded.rules)
        numbers = {name: i for i, name in enumerate(self._names)}
        self._correlations = Correlations(loaded.correlations, numbers, SKEW_MS)
        self._blocks = loaded.blocks

    def run(self, actions: Iterable[Action]) -> Iterator[tuple[frozenset[str], tuple[str, ...]]]:
        """What rules find at each action, and what could not be evaluated; agents are kept apart."""
        cells: dict[bytes, dict[str, bytes]] = {}
        for action in actions:
            own = cells.setdefault(action.agent, {})
            match = self._rules.match(action)
            seen = self._correlations.observe(action, match.rules, own)
            own.update(seen.changes)
            found = {self._names[i] for i in match.rules} - self._blocks
            found |= {finding.detector for finding in seen.findings}
            yield frozenset(found), (*match.errors, *seen.errors)

    def judge(self, placed: PlacedCase) -> CaseResult:
        """Run a case."""
        case, errors = placed.case, tuple[str, ...]()
        owner = OWNERS.get(placed.rule)
        found, failed = run_code(case.decided(), {} if owner is None else {owner: case.settings})
        if owner is None:
            matched, errors = list(self.run(case.actions()))[-1]
            found |= matched
        errors += failed
        passed = (placed.rule in found) == (case.expect == "found") and not errors
        return CaseResult(placed, found, passed, errors)


def run_cases(loaded: Loaded) -> list[CaseResult]:
    """Run every case: one of a rule or correlation with all of them and all detectors in code together."""
    trial = Trial(loaded)
    known = loaded.placed.keys() | OWNERS
    return [trial.judge(placed) for placed in loaded.cases if placed.rule in known]


def only_finders(results: Iterable[CaseResult]) -> dict[str, str]:
    """By detection, a case that it alone finds: without one, another does all that it does."""
    alone: dict[str, str] = {}
    for result in results:
        if result.placed.case.expect == "found" and result.found == {result.placed.rule}:
            alone.setdefault(result.placed.rule, result.placed.case.name)
    return alone
