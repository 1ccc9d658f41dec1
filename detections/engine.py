"""All detections of one bundle: who looks at an action, what comes of it for rules, what is held of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from detections import activity, source
from detections.carried import Content
from detections.coded import Coded
from detections.detector import FAILURES, NOTHING, Cells, Detector, Findings, Observation
from detections.exceptions import Exceptions
from detections.gathering import CALM, NO_CHANGES, Gathering, Seen
from detections.holds import CELL as FOUND
from detections.holds import Holds
from detections.kinds import kinds_of
from detections.sigma.live import Sigma
from schemas.action import PHASES, Action
from schemas.verdict import Finding

Observe = Callable[[Action, Cells], Observation]
Settle = Callable[[Action, bool, Cells], Observation]


class Settled(NamedTuple):
    """What came of telling the decision; attributes as in `Seen`."""

    changes: Mapping[str, bytes] = NO_CHANGES
    findings: Findings = ()
    told: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


SETTLED = Settled()
"""Nothing changed and nothing was found: this very object."""


class Detections:
    """The detections of a bundle, compiled. Pure: nothing is remembered but in the agent's cells."""

    def __init__(
        self,
        content: Content,
        names: Sequence[str],
        recalls: bool = True,
        asked: frozenset[str] | None = None,
    ) -> None:
        """Make the detectors ready that the bundle has on.

        Args:
            content: what the bundle carries.
            names: what rules may match; a name's place is its bit.
            recalls: whether what was found is held for later actions.
            asked: the names that rules look at; None: any.

        Raises:
            ValueError, KeyError: a correlation refers to what there is not, or to itself.
        """
        self._recalls = recalls
        self._kinds = kinds_of(content, names)
        self._exceptions = Exceptions(content.exceptions)
        settings = content.settings
        made: list[Any] = [d(settings.block(d.name)) for d in settings.detectors if self._is_on(content, d)]
        if content.rules or content.correlations:
            made.append(self._sigma(content, asked))
        self._observing = {phase: tuple(d.observe for d in made if _wants(d, phase)) for phase in PHASES}
        self._settling = tuple((d.name, d.settle) for d in made if hasattr(d, "settle"))
        self._names: dict[Observe, str] = {d.observe: d.name for d in made}
        self._holds = Holds({name: kind.bit for name, kind in self._kinds.items()})
        self._source_on = [
            sum(
                self._kinds[n].bit
                for i, n in enumerate(source.ON)
                if bits >> i & 1 and self._kinds[n].enabled
            )
            for bits in range(1 << len(source.ON))
        ]

    def _is_on(self, content: Content, detector: type[Coded]) -> bool:
        """Whether the bundle has it, and one of its kinds is looked for."""
        block = content.settings.block(detector.name)
        return block is not None and any(self._kinds[name].enabled for name in detector.ids)

    def _sigma(self, content: Content, asked: frozenset[str] | None) -> Sigma:
        """The rules that are looked for, and those that correlations want."""
        wanted = {name for c in content.correlations for name in c.rules}
        rules = [r for r in content.rules if r.name in wanted or self._kinds[r.name].enabled]
        return Sigma(rules, content.correlations, content.skew_seconds * 1000, asked)

    def _gather(self, action: Action) -> Gathering:
        return Gathering(self._kinds, self._exceptions, action)

    def observe(self, action: Action, cells: Cells) -> Seen:
        """Look at an action before it is decided: `CALM` itself where there is nothing to say of it."""
        gathering: Gathering | None = None
        numbered = action.numbered()
        held = cells.get(FOUND)
        if numbered is not None or held:
            gathering = self._gather(action)
            if numbered is not None:
                self._follow(action, numbered, cells, gathering)
            if held:
                self._recall(action, held, gathering)
        for observe in self._observing[action.phase]:
            try:
                said = observe(action, cells)
                if said is not NOTHING:
                    if gathering is None:
                        gathering = self._gather(action)
                    gathering.add(self._names[observe], said)
            except FAILURES as error:
                if gathering is None:
                    gathering = self._gather(action)
                gathering.fail(self._names[observe], error)
        return CALM if gathering is None else gathering.seen()

    def _follow(self, action: Action, numbered: source.Numbered, cells: Cells, gathering: Gathering) -> None:
        """Follow the producer's numbering."""
        cell = cells.get(source.CELL)
        try:
            after, found, bits, gathering.duplicate_of = source.observe(
                action, numbered, cell, activity.CELL in cells
            )
        except FAILURES as error:
            gathering.fail(source.CELL, error)
            return
        if after is not cell:
            gathering.changes[source.CELL] = after or b""
        for finding in found:
            gathering.find(finding)
        gathering.on |= self._source_on[bits]

    def _recall(self, action: Action, held: bytes, gathering: Gathering) -> None:
        """What earlier actions revealed; where all of it has passed, or nobody asks, the cell is given up."""
        if not self._recalls:
            gathering.changes[FOUND] = b""
            return
        try:
            gathering.recent, live = self._holds.recent(held, action.session_id, action.received_at)
        except FAILURES as error:
            gathering.fail(FOUND, error)
            return
        if not live:
            gathering.changes[FOUND] = b""

    def settle(self, action: Action, denied: bool, cells: Cells, seen: Seen) -> Settled:
        """Tell the decision of an action that was observed, and hold what was found of it."""
        gathering: Gathering | None = None
        for name, settle in self._settling:
            if name in seen.failed:
                continue
            now = {**cells, **seen.changes} if seen.changes else cells
            try:
                said = settle(action, denied, now)
                if said is not NOTHING:
                    if gathering is None:
                        gathering = self._gather(action)
                    gathering.add(name, said)
            except FAILURES as error:
                if gathering is None:
                    gathering = self._gather(action)
                gathering.fail(name, error)
        if gathering is None:
            if not seen.findings or not self._recalls:
                return SETTLED
            gathering = self._gather(action)
        if self._recalls and FOUND not in seen.failed:
            self._hold(action, cells, (*seen.findings, *gathering.findings), gathering)
        return Settled(
            gathering.changes, tuple(gathering.findings), tuple(gathering.told), tuple(gathering.failures)
        )

    def _hold(
        self, action: Action, cells: Cells, findings: tuple[Finding, ...], gathering: Gathering
    ) -> None:
        at = action.received_at
        until = [
            (f.detector, at + self._kinds[f.detector].hold_ms)
            for f in findings
            if f.muted_by is None and self._kinds[f.detector].hold_ms
        ]
        if until:
            gathering.changes[FOUND] = self._holds.add(cells.get(FOUND), action.session_id, at, until)


def _wants(detector: Detector, phase: str) -> bool:
    """Who does not say what an action's phase is has it looked at as a call."""
    return phase in detector.phases or (phase == "unknown" and "call" in detector.phases)
