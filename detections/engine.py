"""All detections of one bundle: who looks at an action, what comes of it for rules, what is held of it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from detections import activity, source
from detections.carried import Content
from detections.coded import Coded
from detections.detector import FAILURES, NOTHING, Cells, Detector, Findings, Observation
from detections.gathering import CALM, NO_CHANGES, Gathering, Seen
from detections.holds import CELL as FOUND
from detections.holds import Holds
from detections.kinds import kinds_of
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

    def __init__(self, content: Content, recalls: bool = True) -> None:
        """Make the detectors ready that the bundle has on.

        Args:
            content: what the bundle carries.
            recalls: whether what was found is held for later actions.
        """
        self._recalls = recalls
        self._kinds = kinds_of(content)
        settings = content.settings
        made = [d(settings.block(d.name)) for d in settings.detectors if self._is_on(content, d)]
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

    def observe(self, action: Action, cells: Cells) -> Seen:
        """Look at an action before it is decided: `CALM` itself where there is nothing to say of it."""
        gathering: Gathering | None = None
        numbered = action.numbered()
        held = cells.get(FOUND)
        if numbered is not None or held:
            gathering = Gathering(self._kinds, action)
            if numbered is not None:
                self._follow(action, numbered, cells, gathering)
            if held:
                self._recall(action, held, gathering)
        for observe in self._observing[action.phase]:
            try:
                said = observe(action, cells)
                if said is not NOTHING:
                    if gathering is None:
                        gathering = Gathering(self._kinds, action)
                    gathering.add(self._names[observe], said)
            except FAILURES as error:
                if gathering is None:
                    gathering = Gathering(self._kinds, action)
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
                        gathering = Gathering(self._kinds, action)
                    gathering.add(name, said)
            except FAILURES as error:
                if gathering is None:
                    gathering = Gathering(self._kinds, action)
                gathering.fail(name, error)
        if gathering is None:
            if not seen.findings or not self._recalls:
                return SETTLED
            gathering = Gathering(self._kinds, action)
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
