"""Which topics are archived into which tables, of which partition, and at what pace."""

from dataclasses import dataclass

from consumers.buffer import MAX_BYTES
from consumers.cut import Source
from runtime.kafka import FETCH_BYTES
from schemas.topics import (
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    INCIDENTS,
    SNAPSHOTS,
    THREATS,
    topic_name,
)
from sinks import tables

ARCHIVED = (
    (DECISIONS, tables.DECISIONS),
    (THREATS, tables.THREATS),
    (DEAD_LETTERS, tables.DEAD_LETTERS),
    (CHECKPOINTS, tables.CHECKPOINTS),
    (SNAPSHOTS, tables.SNAPSHOTS),
    (INCIDENTS, tables.INCIDENTS),
    (DELIVERIES, tables.DELIVERIES),
)


@dataclass(frozen=True)
class Place:
    """Which partition of which log, and the prefix of the topics."""

    log_id: str
    partition: int
    prefix: str = ""

    @property
    def transactional_id(self) -> str:
        """One for each partition of each log, so that a new owner's init fences the old one."""
        return f"{self.prefix}praetor-archive-{self.log_id}-{self.partition}"

    def sources(self) -> list[Source]:
        """The partition's topics."""
        return [
            Source(topic_name(topic, self.prefix), self.partition, self.log_id, table)
            for topic, table in ARCHIVED
        ]


@dataclass(frozen=True)
class Room:
    """How many bytes of a partition may be read and not yet inserted, and how many one fetch brings."""

    buffer: int = MAX_BYTES
    fetch: int = FETCH_BYTES


@dataclass(frozen=True)
class Pace:
    """How long records may wait for more: `dry` seconds without new input, `linger` seconds at most."""

    dry: float = 0.3
    linger: float = 1.0
