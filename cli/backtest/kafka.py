"""Stored actions from Kafka: agent.decisions by partitions, what was remembered from agent.snapshots."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aiokafka import TopicPartition

from cli.backtest.source import Kept, Window
from cli.ledger.sources import Log
from cli.ledger.topics import Topics
from judgement.engine import READABLE
from judgement.recorded import DecisionReader, Recorded
from runtime.errors import Malformed, PraetorError
from runtime.kafka import Options, common_options, consumer_at
from runtime.settings import Settings
from schemas.codec import split_frame
from schemas.topics import DECISIONS, SNAPSHOTS, Topic
from streams.snapshots import read_snapshot, snapshot_of

SLACK_MS = 600_000
"""How far a worker's clock, which stamps decisions, may be ahead of the broker's, which stamps actions."""


@dataclass(frozen=True)
class PartitionOf:
    """A partition's decisions of a window: offsets of both topics that hold all of it, and more.

    `whole`: nothing precedes them. `cut`: retention has removed some of the window, or may have.
    """

    settings: Settings
    log: Log
    window: Window
    decisions: tuple[int, int]
    snapshots: tuple[int, int]
    whole: bool
    cut: bool

    @property
    def actions(self) -> int:
        """Offsets up to the partition's end, markers among them."""
        return self.decisions[1] - self.decisions[0]

    @contextmanager
    def open(self, kept: Kept) -> Iterator["PartitionFeed"]:
        """Read what was remembered."""
        settings = self.settings
        topics = kept.connection(Topics, lambda: Topics(common_options(settings), settings.topic_prefix))
        yield PartitionFeed(self, topics)


class PartitionFeed:
    """Reads a partition; all agents that act in it are kept in memory."""

    grouped = False

    def __init__(self, of: PartitionOf, topics: Topics) -> None:
        """Read the snapshots."""
        self._of = of
        self._topics = topics
        self._unremembered = 0
        self._snapshots = self._read_snapshots()

    def stored(self) -> Iterator[Recorded]:
        """In the order of the log."""
        window, reader = self._of.window, DecisionReader()
        begin, until = window.begin, window.until
        for record in self._topics.records(DECISIONS, self._of.log, self._of.decisions):
            try:
                stored = reader.read(*split_frame(record.value))
            except Malformed as error:
                where = f"{record.topic}/{record.partition} offset {record.offset}"
                raise PraetorError(f"{where} is no decision: {error}") from error
            received_at = stored.action.received_at
            if received_at >= until:
                return
            if received_at >= begin:
                yield stored

    def begin(self, first: Recorded) -> Mapping[str, bytes]:
        """The agent's snapshot that precedes this action."""
        action = first.action
        seq, cells = self._snapshots.pop((action.tenant, action.agent_id), (first.seq + 1, {}))
        if seq <= first.seq:
            return cells
        self._unremembered += not self._of.whole
        return {}

    def unremembered(self) -> int:
        """Those without a snapshot: from here nobody can tell whether they were new."""
        return self._unremembered

    def _read_snapshots(self) -> dict[tuple[str, str], tuple[int, Mapping[str, bytes]]]:
        found: dict[tuple[str, str], tuple[int, Mapping[str, bytes]]] = {}
        for record in self._topics.records(SNAPSHOTS, self._of.log, self._of.snapshots):
            try:
                read = read_snapshot(record.value)
                snapshot = snapshot_of(read)
            except Malformed as error:
                where = f"{record.topic}/{record.partition} offset {record.offset}"
                raise PraetorError(f"{where} is no snapshot: {error}") from error
            if snapshot.received_at >= self._of.window.begin and snapshot.engine in READABLE:
                found.setdefault((read["tenant"], read["agent_id"]), (snapshot.seq, snapshot.cells))
        return found


def plan_kafka(settings: Settings, window: Window) -> Sequence[PartitionOf]:
    """A chunk for each partition that has anything in the window.

    Raises:
        PraetorError: topics are missing, or the window is empty.
        Unavailable: no broker answers.
    """
    options = common_options(settings)
    topics = Topics(options, settings.topic_prefix)
    try:
        chunks = [_plan(settings, options, topics, log, window) for log in topics.logs]
    finally:
        topics.close()
    chunks = [chunk for chunk in chunks if chunk.actions]
    if not chunks:
        raise PraetorError(f"{settings.topic_prefix}{DECISIONS.name} holds no decision in this window")
    return chunks


def _plan(settings: Settings, options: Options, topics: Topics, log: Log, window: Window) -> PartitionOf:
    def bounds(topic: Topic) -> tuple[int, int, int]:
        start, end = topics.bounds(topic, log)
        tp = TopicPartition(topics.name(topic), log.partition)
        return start, max(start, min(end, asyncio.run(_first(options, tp, window, end)))), end

    start, first, end = bounds(DECISIONS)
    cut = 0 < start == first
    return PartitionOf(settings, log, window, (first, end), bounds(SNAPSHOTS)[1:], first == 0, cut)


async def _first(options: Options, tp: TopicPartition, window: Window, end: int) -> int:
    """The first record that may be of the window: one is written when its action was received, or later."""
    async with consumer_at(options, tp, end) as consumer:
        found = (await consumer.offsets_for_times({tp: max(0, window.begin - SLACK_MS)}))[tp]
    return end if found is None else int(found.offset)
