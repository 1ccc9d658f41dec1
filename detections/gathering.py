"""Puts together what the detections of one bundle say of one action."""

from collections.abc import Mapping
from typing import NamedTuple

from detections.carried import CUT
from detections.detector import Findings, Observation
from detections.exceptions import Exceptions
from detections.kinds import Kind
from schemas.action import Action
from schemas.verdict import Finding

NO_CHANGES: Mapping[str, bytes] = {}


class Seen(NamedTuple):
    """What came of observing one action.

    Attributes:
        on: a bit for each of the bundle's names: on in this judgement.
        recent: the same for what earlier actions revealed and is held.
        risk: 0 to 1, the highest that any detector gave.
        changes: cells that changed; empty bytes: needed no more.
        findings: what the action reveals, muted ones too.
        told: what was cut or could not be looked at: recorded.
        failures: what failed: recorded, and denies.
        failed: the detectors and cells that did, by name: they do not learn the decision.
        duplicate_of: the producer's number, where it came before.
    """

    on: int = 0
    recent: int = 0
    risk: float = 0.0
    changes: Mapping[str, bytes] = NO_CHANGES
    findings: Findings = ()
    told: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    failed: frozenset[str] = frozenset()
    duplicate_of: str | None = None


CALM = Seen()
"""Nothing changed, nothing was found, nothing is on: this very object."""


class Gathering:
    """What was said so far."""

    __slots__ = (
        "_action", "_exceptions", "_kinds", "changes", "duplicate_of", "failed", "failures", "findings", "on",
        "recent", "risk", "told",
    )  # fmt: skip

    def __init__(
        self, kinds: Mapping[str, Kind], exceptions: Exceptions, action: Action, changes: dict[str, bytes]
    ) -> None:
        """Begin with nothing but the cells that changed so far; more are added to them."""
        self._exceptions = exceptions
        self._kinds = kinds
        self._action = action
        self.on = self.recent = 0
        self.risk = 0.0
        self.changes = changes
        self.findings: list[Finding] = []
        self.told: list[str] = []
        self.failures: list[str] = []
        self.failed: set[str] = set()
        self.duplicate_of: str | None = None

    def add(self, name: str, said: Observation) -> None:
        """Take what a detector of this name says.

        Raises:
            KeyError: a finding of a kind that it does not declare.
        """
        self.changes.update(said.changes)
        for finding in said.findings:
            self.find(finding)
        for what in said.on:
            kind = self._kinds[what]
            if kind.enabled:
                self.on |= kind.bit
        if said.risk > self.risk:
            self.risk = min(said.risk, 1.0)
        if said.errors:
            self.told += [f"{name}: {error}" for error in said.errors]
            self.on |= self._kinds[CUT].bit if CUT in self._kinds else 0

    def find(self, finding: Finding) -> None:
        """Take a finding: as bad as the bundle says, muted where an exception says so.

        Raises:
            KeyError: no kind of such a name.
        """
        kind = self._kinds[finding.detector]
        if not kind.enabled:
            return
        if kind.severity is not None:
            finding = finding._replace(severity=kind.severity)
        muted_by = self._exceptions.muted_by(finding, self._action)
        if muted_by is None:
            self.on |= kind.bit
        else:
            finding = finding._replace(muted_by=muted_by)
        self.findings.append(finding)

    def fail(self, name: str, error: Exception) -> None:
        """Record a failure of a detector or cell."""
        self.failures.append(f"{name}: {type(error).__name__}: {error}")
        self.failed.add(name)

    def seen(self) -> Seen:
        """All of it."""
        return Seen(
            self.on,
            self.recent,
            self.risk,
            self.changes,
            tuple(self.findings),
            tuple(self.told),
            tuple(self.failures),
            frozenset(self.failed),
            self.duplicate_of,
        )
