"""Decisions and snapshots as Kafka holds them: agent.decisions and agent.snapshots, 30 days.

Places are found by halves, since numbers and times never fall; what lies between two of them is read whole.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.ledger.sources import Log
from cli.ledger.topics import Topics
from cli.rejudging.stored import Stored
from runtime.errors import Malformed, PraetorError
from runtime.kafka import common_options, consumer_at
from runtime.settings import Settings
from schemas.codec import decode
from schemas.topics import DECISIONS, SNAPSHOTS
from streams.snapshots import Snapshot, read_snapshot, snapshot_of

PROBE_BYTES = 64 << 10


class KafkaStore(Topics):
    """One partition's committed records, up to the ends that the topics have when it is opened.

    Memory: the decisions of the agents that were prepared for, of the span last read.

    Raises:
        PraetorError: topics are missing, or hold what does not belong there.
        Unavailable: no broker answers.
    """

    place = "Kafka"

    def __init__(self, settings: Settings, log: Log) -> None:
        super().__init__(common_options(settings), settings.topic_prefix)
        self._log = log
        self._bounds = self.bounds(DECISIONS, log)
        first, last = self._at(self._bounds[0]), self._newest()
        self._extent = (first.seq, last.seq + 1) if first is not None and last is not None else (0, 0)
        self._snapshots: dict[bytes, list[Snapshot]] = {}
        self._held: dict[bytes, list[Stored]] = {}
        self._span = (0, 0)
        self._end = 0

    def extent(self) -> tuple[int, int]:
        """As it was when the store was opened."""
        return self._extent

    def decisions(self, seqs: Collection[int]) -> list[Stored]:
        """One read from the first to the last."""
        wanted = {seq for seq in seqs if self._extent[0] <= seq < self._extent[1]}
        if not wanted:
            return []
        return [one for one in self._read(min(wanted), max(wanted) + 1) if one.seq in wanted]

    def prepare(self, targets: Sequence[Stored]) -> None:
        """Read the snapshots of the agents: the whole partition of agent.snapshots."""
        self._snapshots = {target.agent: [] for target in targets}
        self._end = max((target.seq for target in targets), default=0)
        for record in self.records(SNAPSHOTS, self._log, self.bounds(SNAPSHOTS, self._log)):
            if record.key in self._snapshots:
                try:
                    self._snapshots[record.key].append(snapshot_of(read_snapshot(record.value)))
                except Malformed as error:
                    where = f"{record.topic}/{record.partition} offset {record.offset}"
                    raise PraetorError(f"{where} is no snapshot: {error}") from error

    def snapshots(self, target: Stored) -> list[Snapshot]:
        """As prepared."""
        return self._snapshots[target.agent]

    def of_agent(self, target: Stored, first: int, before: int) -> list[Stored]:
        """From what is held; where that does not reach, all prepared agents' from here on are read."""
        if first >= before:
            return []
        if not self._span[0] <= first < before <= self._span[1]:
            self._held = {agent: [] for agent in self._snapshots}
            self._span = (first, max(before, self._end))
            for one in self._read(*self._span):
                if one.agent in self._held:
                    self._held[one.agent].append(one)
        return [one for one in self._held[target.agent] if first <= one.seq < before]

    def absent(self, first: int, before: int) -> int | None:
        """The topic has no holes but at its beginning; `praetor ledger verify` says otherwise if it has."""
        if first >= before:
            return None
        if first < self._extent[0]:
            return first
        return max(first, self._extent[1]) if before > self._extent[1] else None

    def since(self, received_at: int, before: int) -> int:
        """By halves."""
        found = self._at(self._find(lambda one: one.record["received_at"] >= received_at))
        return before if found is None else min(found.seq, before)

    def earlier(self, target: Stored, before: int) -> int | None:
        """The oldest one: reads all that is kept before."""
        found = self.of_agent(target, self._extent[0], before)
        return next((one.seq for one in found if not one.misrouted), None)

    def _read(self, first: int, before: int) -> list[Stored]:
        start = self._find(lambda one: one.seq >= first)
        end = self._find(lambda one: one.seq >= before)
        return [
            _decision(record.value, f"{record.topic}/{record.partition} offset {record.offset}")
            for record in self.records(DECISIONS, self._log, (start, end))
        ]

    def _newest(self) -> Stored | None:
        low, high = self._bounds
        # markers of transactions stand between
        for back in (64, high - low):
            last = deque(self.records(DECISIONS, self._log, (max(low, high - back), high)), 1)
            for record in last:
                return _decision(record.value, f"{record.topic}/{record.partition} offset {record.offset}")
        return None

    def _at(self, offset: int) -> Stored | None:
        return self._run(self._probing(offset, None))[1]

    def _find(self, reached: Callable[[Stored], bool]) -> int:
        """The first offset from which on all decisions have reached something."""
        return self._run(self._probing(self._bounds[0], reached))[0]

    async def _probing(self, low: int, reached: Callable[[Stored], bool] | None) -> tuple[int, Stored | None]:
        tp = TopicPartition(self.name(DECISIONS), self._log.partition)
        high = self._bounds[1]
        async with consumer_at(self._options, tp, low, max_partition_fetch_bytes=PROBE_BYTES) as consumer:
            while reached is not None and low < high:
                middle = (low + high) // 2
                one = await self._first_from(consumer, tp, middle)
                if one is None or reached(one):
                    high = middle
                else:
                    low = middle + 1
            return low, await self._first_from(consumer, tp, low)

    async def _first_from(self, consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> Stored | None:
        """The first decision at this offset or after it."""
        consumer.seek(tp, offset)
        while await consumer.position(tp) < self._bounds[1]:
            for records in (await consumer.getmany(tp, timeout_ms=100, max_records=1)).values():
                return _decision(records[0].value, f"{tp.topic}/{tp.partition} offset {records[0].offset}")
        return None


def _decision(value: bytes | None, where: str) -> Stored:
    try:
        return Stored(decode(value, "decision"))
    except Malformed as error:
        raise PraetorError(f"{where} is no decision: {error}; praetor ledger verify says more") from error
