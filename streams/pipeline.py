"""One partition's loop: fetch, judge, one transaction."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from ledger.keys import NoteKey
from runtime import metrics
from runtime.abandon import abandon
from runtime.errors import PraetorError
from runtime.health import Watch
from runtime.kafka import FETCH_BYTES
from schemas.topics import ACTIONS
from streams.control import ControlFollower
from streams.ledger_keys import LedgerKeys
from streams.pace import BatchSize, Pace
from streams.partition import Batch, Partition, Place
from streams.signer import Signer
from streams.takeover import Source, fence, open_actions, read_state
from streams.transaction import Writer

log = structlog.get_logger()

IDLE_MS = 200
LOG_APPEND_TIME = 1


@dataclass(frozen=True)
class Shared:
    """What a worker's pipelines have in common.

    `memory` holds, by number, the partitions that were owned and may be taken over warm. `fetch_bytes` is how
    much one partition may read ahead.
    """

    control: ControlFollower
    pace: Pace
    key: LedgerKeys | NoteKey
    memory: dict[int, Partition]
    fetch_bytes: int = FETCH_BYTES


class Pipeline:
    """Owns one partition from `take_over` on, until `run` returns or raises (see runtime.work.Work).

    `partition` is what it last committed; `writing_under` the control offset of a batch that is not yet.
    """

    def __init__(self, source: Source, place: Place, shared: Shared) -> None:
        self.place = place
        self.partition: Partition | None = None
        self.stopping = asyncio.Event()
        self.ready = asyncio.Event()
        self.watch = Watch()
        self.oldest_ms: int | None = None
        self.saturated = False
        self.writing_under: int | None = None
        self._size = BatchSize()
        self._fetch_bytes = shared.fetch_bytes
        self._unsigned_since: float | None = None
        self._source = source
        self._control = shared.control
        self._pace = shared.pace
        self._memory = shared.memory
        self._signer = Signer(place, shared.key)
        self._tp = TopicPartition(ACTIONS.name, place.partition)
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def position(self) -> int | None:
        """The next action to judge."""
        judging = self.partition is not None and self.ready.is_set()
        return self.partition.progress.next_source_offset if judging and self.partition else None

    @property
    def reached(self) -> int | None:
        """The next action to judge, also while it is not judged."""
        return self.partition.progress.next_source_offset if self.partition is not None else None

    def tell(self) -> None:
        """Set the gauges of this partition."""
        since = self._unsigned_since
        age = 0.0 if since is None else time.monotonic() - since
        metrics.CHECKPOINT_AGE.labels(str(self.place.partition)).set(age)

    async def take_over(self) -> None:
        """Fence, read, stand at the next action.

        Raises:
            PraetorError: the partition cannot be judged; the message says what to do.
            KafkaError: the broker did not let it be done now.
        """
        started = time.monotonic()
        self.watch.does("fencing the old owner", within=None)
        warm = self._memory.pop(self.place.partition, None)
        self._producer = await fence(self._source, self.place)
        self.watch.does("reading agent.state", within=None)
        self.partition = await read_state(self._source, self.place, warm)
        self.watch.does("waiting for a current view of agent.control", within=None)
        if not await self._control.reach(self.partition.progress.control_offset, self.stopping):
            return
        self.watch.does("finding the next action", within=None)
        self._consumer = await open_actions(
            self._source, self.partition, self._control.view, self._fetch_bytes
        )
        log.info(
            "partition taken over",
            partition=self.place.partition,
            next_source_offset=self.partition.progress.next_source_offset,
            next_seq=self.partition.progress.next_seq,
            agents=len(self.partition.agents),
            warm=self.partition is warm,
            seconds=round(time.monotonic() - started, 3),
        )

    async def run(self) -> None:
        """Judge until asked to stop; then sign what is committed.

        Raises:
            KafkaError: fenced, or a transaction's fate is unknown; memory is as it was before that batch.
        """
        partition, consumer, producer = self.partition, self._consumer, self._producer
        if partition is None or consumer is None or producer is None:
            return  # asked to stop while taking over
        writer = Writer(producer, self._source.prefix, self.place.partition)
        # a producer's first transaction is slow: let it be this one
        await self._commit(partition, writer, partition.judge([]))
        self.ready.set()
        while await self._may_judge(partition):
            if self._control.view.rules is None:
                why = self._control.view.unread or "waiting for a bundle: praetor policy publish"
                self.watch.does(why, within=None)
                await asyncio.sleep(IDLE_MS / 1000)
                continue
            self.watch.does("fetching")
            found = await consumer.getmany(self._tp, timeout_ms=IDLE_MS, max_records=self._size.limit)
            records = found.get(self._tp, [])
            self.oldest_ms = records[0].timestamp if records else None
            self.saturated = len(records) >= self._size.limit
            # beyond markers and aborted records: their removal by retention is no loss of actions
            beyond = 0 if records else await consumer.position(self._tp)
            is_passed = beyond > partition.progress.next_source_offset
            if records or is_passed or self._signer.is_due(partition.progress):
                if not await self._may_judge(partition):
                    break
                _check_clock(records)
                await self._pace.wait()
                view = self._control.view
                if view.rules is None:  # a bundle came that cannot be read
                    consumer.seek(self._tp, partition.progress.next_source_offset)
                    continue
                partition.under(view.rules, view.offset, view.canary)
                self.writing_under = view.offset
                await self._commit(partition, writer, self._judge(partition, records, beyond))
                self.writing_under = None
                # what comes next is not older
                self.oldest_ms = records[-1].timestamp if records else None
        self.watch.does("having the last tree signed", within=None)
        await self._signer.settle(partition.progress)
        if self._signer.is_due(partition.progress, now=True):
            await self._commit(partition, writer, partition.judge([]), now=True)

    async def _may_judge(self, partition: Partition) -> bool:
        """Wait for a control view that is current; False once asked to stop."""
        self.watch.does("waiting for a current view of agent.control", within=None)
        reached = await self._control.reach(partition.progress.control_offset, self.stopping)
        return reached and not self.stopping.is_set()

    def _judge(self, partition: Partition, records: Sequence[ConsumerRecord], beyond: int) -> Batch:
        self.watch.does("judging")
        started = time.thread_time()
        batch = partition.judge(records, beyond)
        self._size.learn(len(records), time.thread_time() - started)
        return batch

    async def _commit(self, partition: Partition, writer: Writer, batch: Batch, now: bool = False) -> None:
        started = time.monotonic()
        due = self._signer.is_due(partition.progress, now)
        size = partition.progress.frontier.size
        self.watch.does("writing a transaction")
        try:
            await writer.write(batch, self._signer.sign(partition.progress) if due else None)
        except BaseException:
            partition.rollback()
            metrics.TRANSACTIONS_ABANDONED.inc()
            raise
        partition.commit(batch)
        if due:
            self._unsigned_since = None if self._signer.published() == size else started
        if batch.decisions and self._unsigned_since is None:
            self._unsigned_since = started
        _count(batch, len(batch.decisions) + len(batch.dead_letters), time.monotonic() - started)

    async def close(self) -> None:
        """Keep the memory, let go of the broker: what is in flight is left to the next owner's init."""
        if self.partition is not None:
            self._memory[self.place.partition] = self.partition
        self._signer.close()
        consumer, producer, self._consumer, self._producer = self._consumer, self._producer, None, None
        if producer is not None:
            await abandon(producer)
        if consumer is not None:
            await consumer.stop()


def _check_clock(records: Sequence[ConsumerRecord]) -> None:
    # a topic's setting changes between batches of the log: the last record shows a change on the way
    if records and {records[0].timestamp_type, records[-1].timestamp_type} != {LOG_APPEND_TIME}:
        raise PraetorError(
            f"{ACTIONS.name} does not use LogAppendTime, so that producers would set the clock of limits: "
            f"set message.timestamp.type=LogAppendTime on it; its records from offset {records[0].offset} on "
            "carry the producers' times"
        )


def _count(batch: Batch, actions: int, seconds: float) -> None:
    for effect, number in batch.effects.items():
        metrics.DECISIONS.labels(effect).inc(number)
    for letter in batch.dead_letters:
        metrics.DEAD_LETTERS.labels(letter.stage, letter.error_class).inc()
        metrics.DEAD_LETTER_BYTES.inc(len(letter.value))
    for (detector, muted), number in batch.findings.items():
        metrics.THREATS.labels(detector, "yes" if muted else "no").inc(number)
    metrics.SNAPSHOTS.inc(len(batch.snapshots))
    metrics.JUDGEMENT_ERRORS.inc(batch.errors)
    metrics.BATCH_ACTIONS.observe(actions)
    metrics.TRANSACTION_SECONDS.observe(seconds)
