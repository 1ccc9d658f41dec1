"""Compares, action by action, what Kafka and ClickHouse made of one partition.

All streams come in order of the action's offset and are merged, so that only the holes take memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter

from cli.reconcile.holes import Found, Hole, Kind, Totals

ACTION, DECISION, LETTER, DECISION_ROW, LETTER_ROW = range(5)
TOTALS = ("actions", "decisions", "dead_letters", "decision_rows", "dead_letter_rows")

Entry = tuple[int, int, int, bool]
"""Offset of the action; where it was found; the decision's seq or -1; whether the archive has passed it."""


@dataclass
class Bounds:
    """How far everything is, and where Kafka begins. Offsets are those of agent.actions.

    Attributes:
        partition: which.
        judged: the next action to judge.
        next_seq: the next decision's number.
        actions: Kafka holds the actions from here on.
        decisions: Kafka holds the decisions of the actions from here on.
        letters: Kafka holds the dead letters of the actions from here on.
        known_seq: decisions before this number are not asked for: older than what is kept, or than --since.
    """

    partition: int
    judged: int
    next_seq: int
    actions: int = 0
    decisions: int = 0
    letters: int = 0
    known_seq: int | None = 0


def in_order(entries: Iterable[Entry], partition: int, kind: Kind, found: Found) -> Iterator[Entry]:
    """The entries as long as they ascend; one that goes backwards is a second one of its kind."""
    highest = -1
    for entry in entries:
        if entry[0] < highest:
            found.add(Hole(kind, partition, entry[0], entry[0]))
            continue
        highest = entry[0]
        yield entry


@dataclass
class Comparison:
    """One partition's merge. `bounds` may be completed until the first entry comes."""

    bounds: Bounds
    found: Found
    totals: Totals
    _runs: dict[Kind, tuple[Hole, int]] = field(default_factory=dict)
    _place: int = 0

    def compare(self, streams: Iterable[Iterable[Entry]]) -> None:
        """Merge the streams and take down what is missing, doubled, or not there yet."""
        seq = None if self.bounds.known_seq is None else self.bounds.known_seq - 1
        for offset, group in groupby(merge(*streams, key=itemgetter(0)), itemgetter(0)):
            self._place += 1
            found = list(group)
            for _, where, _, _ in found:
                name = TOTALS[where]
                setattr(self.totals, name, getattr(self.totals, name) + 1)
            here = max(entry[2] for entry in found)
            if offset >= self.bounds.judged:
                self.totals.not_yet_judged += found[0][1] == ACTION
                continue
            if here >= 0:
                self._follow(seq, here, offset)
                seq = here
            self._judge(offset, found)
        if seq is not None and self.bounds.actions >= self.bounds.judged:
            self._follow(seq, self.bounds.next_seq, self.bounds.judged - 1)

    def _follow(self, before: int | None, seq: int, offset: int) -> None:
        """Where Kafka no longer has the actions, the ledger's numbers tell what is missing."""
        if before is not None and offset < self.bounds.actions and seq > before + 1:
            hole = Hole(Kind.lost, self.bounds.partition, before + 1, seq - 1, seq - 1 - before)
            self.found.add(hole)

    def _judge(self, offset: int, found: list[Entry]) -> None:
        places = [where for _, where, _, _ in found]
        kafka = places.count(DECISION) + places.count(LETTER)
        rows = places.count(DECISION_ROW) + places.count(LETTER_ROW)
        if kafka > 1:
            self._hole(Kind.doubled_kafka, offset)
        if rows > 1:
            self._hole(Kind.doubled_clickhouse, offset)
        if ACTION in places and not kafka and not rows:
            self._hole(Kind.unjudged, offset)
        if ACTION not in places and offset >= self.bounds.actions:
            self._hole(Kind.unknown, offset)
        if kafka and not rows:
            if any(archived for _, where, _, archived in found if where in (DECISION, LETTER)):
                self._hole(Kind.clickhouse, offset)
            else:
                self.totals.not_yet_archived += 1
        held = self.bounds.decisions if DECISION_ROW in places else self.bounds.letters
        if rows and not kafka and offset >= held:
            self._hole(Kind.kafka, offset)

    def _hole(self, kind: Kind, offset: int) -> None:
        """Begin a hole, or prolong the last of its kind where nothing whole lies between."""
        hole, place = self._runs.get(kind, (None, -1))
        if hole is not None and place == self._place - 1:
            hole.last, hole.count = offset, hole.count + 1
            self.found.counts[kind] += 1
        else:
            hole = Hole(kind, self.bounds.partition, offset, offset)
            self.found.add(hole)
        self._runs[kind] = (hole, self._place)
