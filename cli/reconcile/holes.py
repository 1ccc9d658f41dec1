"""What reconciling finds, as values."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

MOST = 10_000
"""So many holes and open epochs are named; more are counted."""


class Kind(StrEnum):
    """What kind of hole; docs/reconcile.md says what to do about each."""

    source = "missing at the source"
    miscounted = "closing count does not match"
    unjudged = "not judged"
    lost = "decisions lost"
    kafka = "missing in Kafka"
    clickhouse = "missing in ClickHouse"
    doubled_kafka = "doubled in Kafka"
    doubled_clickhouse = "doubled in ClickHouse"
    unknown = "no such action"
    sums = "sums differ"
    undelivered = "not delivered"
    miscounted_receipt = "receipt does not match"
    destination = "missing at a destination"


@dataclass
class Hole:
    """A run of things that are missing, or too many.

    Attributes:
        kind: which.
        partition: of agent.actions.
        first: of the run: a producer's number, or an offset of agent.actions; of `lost`, the ledger's seq; of
            `sums`, the day as YYYYMMDD.
        last: of the run.
        count: how many of first to last it is about (Kafka's markers take offsets, too).
        source: of a hole at the source: tenant, agent, producer and epoch; of `sums`, the table.
        destination: of a hole on the way out; first and last are offsets of `topic` then.
        topic: the same.
    """

    kind: Kind
    partition: int
    first: int
    last: int
    count: int = 1
    source: dict[str, Any] | None = None
    destination: str = ""
    topic: str = ""

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "kind": self.kind.name}


@dataclass
class OpenEpoch:
    """An epoch without a closing count; `died` where a later epoch of the producer has begun."""

    source: dict[str, Any]
    partition: int
    highest: int
    died: bool

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass
class Totals:
    """What one partition holds, and how far it has come."""

    partition: int
    actions: int = 0
    decisions: int = 0
    dead_letters: int = 0
    decision_rows: int = 0
    dead_letter_rows: int = 0
    epochs: int = 0
    not_yet_judged: int = 0
    not_yet_archived: int = 0


@dataclass
class Delivered:
    """What one destination had of all partitions, by its receipts; in records of its topics.

    Attributes:
        destination: its name.
        type: its type.
        records: all that it has passed.
        events: those that it took, as the receipts count them: repetitions once.
        filtered: those that its filter left out.
        kept_aside: those that it refused, which stand in agent.undelivered or were sent again since.
        skipped: offsets that a person let it go on without.
        waiting: those that it has not come to.
        looked_up: ids that were looked for in its file; None: what it holds cannot be asked.
    """

    destination: str
    type: str
    records: int = 0
    events: int = 0
    filtered: int = 0
    kept_aside: int = 0
    skipped: int = 0
    waiting: int = 0
    looked_up: int | None = None


@dataclass
class Found:
    """Everything found. `counts` tells of all holes by kind, also of those that are not named any more."""

    holes: list[Hole] = field(default_factory=list)
    open: list[OpenEpoch] = field(default_factory=list)
    totals: list[Totals] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    opened: int = 0

    def add(self, hole: Hole) -> None:
        """Take a hole that begins."""
        self.counts[hole.kind] += hole.count
        if len(self.holes) < MOST:
            self.holes.append(hole)

    def add_open(self, epoch: OpenEpoch) -> None:
        """Take an epoch without closing count."""
        self.opened += 1
        if len(self.open) < MOST:
            self.open.append(epoch)

    @property
    def ok(self) -> bool:
        """Whether there is no hole."""
        return not self.counts
