"""All detections of one bundle: who looks at an action, what comes of it for rules, what is held of it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from detections import activity, source
from detections.carried import Content
from detections.coded import Coded
from detections.concern import Concern, Observe
from detections.detector import FAILURES, NOTHING, Cells, Findings
from detections.exceptions import Exceptions
from detections.gathering import CALM, NO_CHANGES, Gathering, Seen
from detections.holds import CELL as FOUND
from detections.holds import Holds
from detections.kinds import kinds_of
from detections.sigma.live import Sigma
from schemas.action import Action
from schemas.verdict import Finding


class Settled(NamedTuple):
    """What came of telling the decision; attributes as in `Seen`."""

    changes: Mapping[str, bytes] = NO_CHANGES
    findings: Findings = ()
    told: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


SETTLED = Settled()
"""Nothing changed and nothing was found: this very object."""


class Detections:
    """The detections of a bundle, compiled. Pure: nothing is remembered but in the agent's cells.

    Attributes:
        meters: whether what actions use is to be counted (`detections.activity`).
    """

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
        self._concern = Concern(made)
        self.meters = any(getattr(d, "meters", False) for d in made)
        settling = [d for d in made if hasattr(d, "settle")]
        self._settling = {  # by whether an action was denied
            True: tuple((d.name, d.settle) for d in settling),
            False: tuple((d.name, d.settle) for d in settling if not getattr(d, "only_denials", False)),
        }
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

    def _gather(self, action: Action, changes: dict[str, bytes]) -> Gathering:
        return Gathering(self._kinds, self._exceptions, action, changes)

    def observe(self, action: Action, cells: Cells) -> Seen:
        """Look at an action before it is decided: `CALM` itself where there is nothing to say of it."""
        changes: dict[str, bytes] = {}
        gathering: Gathering | None = None
        numbered = action.numbered()
        if numbered is not None:
            gathering = self._follow(action, numbered, cells, changes)
        held = cells.get(FOUND)
        if held:
            gathering = gathering or self._gather(action, changes)
            self._recall(action, held, gathering)
        for observe in self._concern.observers(action, cells):
            try:
                said = observe(action, cells)
                if said is NOTHING:
                    continue
                if said.findings or said.on or said.risk or said.errors:
                    gathering = gathering or self._gather(action, changes)
                    gathering.add(self._names[observe], said)
                else:
                    changes.update(said.changes)
            except FAILURES as error:
                gathering = gathering or self._gather(action, changes)
                gathering.fail(self._names[observe], error)
        if gathering is not None:
            return gathering.seen()
        return Seen(changes=changes) if changes else CALM

    def _follow(
        self, action: Action, numbered: source.Numbered, cells: Cells, changes: dict[str, bytes]
    ) -> Gathering | None:
        """Follow the producer's numbering; None where no more comes of it than a cell that changes."""
        cell = cells.get(source.CELL)
        try:
            after, found, bits, repeated = source.observe(action, numbered, cell, activity.CELL in cells)
        except FAILURES as error:
            gathering = self._gather(action, changes)
            gathering.fail(source.CELL, error)
            return gathering
        if after is not cell:
            changes[source.CELL] = after or b""
        if not (found or bits or repeated):
            return None
        gathering = self._gather(action, changes)
        gathering.duplicate_of = repeated
        for finding in found:
            gathering.find(finding)
        gathering.on |= self._source_on[bits]
        return gathering

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
        settling = self._settling[denied]
        if not (settling or seen.findings):  # nearly always
            return SETTLED
        gathering: Gathering | None = None
        now = {**cells, **seen.changes}
        for name, settle in settling:
            if name in seen.failed:
                continue
            try:
                said = settle(action, denied, now)
                if said is not NOTHING:
                    gathering = gathering or self._gather(action, {})
                    gathering.add(name, said)
            except FAILURES as error:
                gathering = gathering or self._gather(action, {})
                gathering.fail(name, error)
        if gathering is None:
            if not seen.findings or not self._recalls:
                return SETTLED
            gathering = self._gather(action, {})
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
