"""Groups what comes, for all receivers at once: one owner, one transaction a batch.

A transaction holds the notifications, the groups that changed and how far was read. So a kill loses no
notification and makes none twice; what it leaves open, the next owner's init aborts.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from consumers.alert.book import Book
from consumers.alert.memory import Memory, group_records, progress_record, read_memory
from consumers.alert.quiet import Quiet
from consumers.alert.rules import Rules
from consumers.alert.signal import Cause, Signal, incident_signal, threat_signal
from consumers.alert.telling import notifications
from runtime import metrics
from runtime.abandon import abandon
from runtime.errors import Malformed, PraetorError
from runtime.health import Watch
from runtime.kafka import Ends, Options, partition_counts, start_consumer, started
from schemas.codec import Record, decode, encode
from schemas.topics import ALERTS, INCIDENTS, NOTIFICATIONS, THREATS, topic_name

log = structlog.get_logger()

POLL_MS = 250
MOST_RECORDS = 2_000
PARTITION_BYTES, FETCH_BYTES = 1 << 20, 8 << 20
TRANSACTION_TIMEOUT_MS = 15_000
IDLE_COMMIT_SECONDS = 5.0


class Grouper:
    """The work of the one partition of agent.alerts (see `runtime.work.Work`)."""

    def __init__(
        self,
        options: Options,
        ends: Ends,
        place: tuple[str, str],
        rules: Rules,
        quiet: Callable[[], Quiet],
    ) -> None:
        """Take the log's id and the topics' prefix, the routes, and what people have set by now."""
        self.stopping = asyncio.Event()
        self.ready = asyncio.Event()
        self.watch = Watch()
        self._options = options
        self._ends = ends
        self._log_id, self._prefix = place
        self._rules = rules
        self._quiet = quiet
        self._book = Book(rules)
        self._offsets: dict[TopicPartition, int] = {}
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._committed_at = 0.0
        self._lost: list[Signal] = []

    @property
    def position(self) -> int | None:
        """Nothing: its own progress stands in agent.alerts."""
        return None

    async def take_over(self) -> None:
        """Fence whoever grouped before, and go on with what it has written down."""
        self.watch.does("fencing the owner before", within=None)
        producer = AIOKafkaProducer(
            **self._options,
            transactional_id=f"{self._prefix}praetor-alert-{self._log_id}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            compression_type="lz4",
        )
        self._producer = await started(producer, self._options)
        self.watch.does("reading what is remembered", within=None)
        tp = TopicPartition(topic_name(ALERTS, self._prefix), 0)
        memory = await read_memory(self._options, self._ends, tp, self._log_id)
        self._book = Book(self._rules, memory.groups.values())
        self._offsets = await self._standing(memory)
        self._consumer = await start_consumer(
            self._options,
            "read_committed",
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
        )
        self._consumer.assign(sorted(self._offsets))
        for place, offset in self._offsets.items():
            self._consumer.seek(place, offset)
        # the first start's place is kept at once: from now on nothing is passed over
        await self._commit([], self._offsets)
        log.info("alerting taken over", groups=len(self._book), partitions=len(self._offsets))

    async def _standing(self, memory: Memory) -> dict[TopicPartition, int]:
        """Where to read on; at the very first start, and for partitions that are new, at the end."""
        names = [topic_name(topic, self._prefix) for topic in (INCIDENTS, THREATS)]
        counts = await partition_counts(self._options, names)
        found = {}
        for tp in [TopicPartition(name, p) for name in names for p in range(counts[name])]:
            stood = memory.offsets.get(tp)
            beginning = await self._ends.beginning(tp)
            if stood is None:
                first_start = not memory.offsets
                found[tp] = await self._ends.last_stable(tp) if first_start else beginning
                continue
            found[tp] = max(stood, beginning)
            if stood < beginning:
                self._lost.append(_gap(tp, beginning - stood))
        return found

    async def run(self) -> None:
        """Group and tell until asked to stop.

        Raises:
            PraetorError: a record is none that this version reads.
            KafkaError: fenced, or a transaction's fate is unknown.
        """
        self.ready.set()
        while not self.stopping.is_set():
            self.watch.does("reading")
            found = await self._read()
            self.watch.does("grouping", within=None)
            await self._work(found)

    async def _read(self) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        if self._consumer is None:
            raise RuntimeError("run comes after take_over")
        found: Mapping[TopicPartition, Sequence[ConsumerRecord]]
        found = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        return found

    async def _work(self, found: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        now, quiet = round(time.time() * 1000), self._quiet()
        for signal in (*self._lost, *self._signals(found)):
            self._book.take(signal, now, quiet)
        self._lost.clear()
        tellings = self._book.due(now, quiet)
        told = [record for telling in tellings for record in notifications(telling, self._log_id, now)]
        offsets = {tp: records[-1].offset + 1 for tp, records in found.items() if records}
        late = time.monotonic() - self._committed_at > IDLE_COMMIT_SECONDS
        if told or offsets or late:
            await self._commit(told, self._offsets | offsets)
        self._count(told)

    def _signals(self, found: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> Iterable[Signal]:
        threats = topic_name(THREATS, self._prefix)
        for tp, records in found.items():
            for record in records:
                try:
                    signal = (
                        threat_signal(decode(record.value, "threat"))
                        if tp.topic == threats
                        else incident_signal(decode(record.value, "incident"))
                    )
                except Malformed as error:
                    raise PraetorError(
                        f"{tp.topic}/{tp.partition} offset {record.offset} cannot be told: {error}; upgrade"
                        " praetor"
                    ) from error
                metrics.ALERT_SIGNALS.labels("threat" if tp.topic == threats else "incident").inc()
                if signal is not None:
                    yield signal

    async def _commit(self, told: Sequence[Record], offsets: dict[TopicPartition, int]) -> None:
        """Write it all down in one transaction, or nothing of it."""
        if self._producer is None:
            raise RuntimeError("no producer: take_over was not called")
        changes = self._book.changes()
        if not told and not changes and offsets == self._offsets and self._committed_at:
            return
        alerts, out = topic_name(ALERTS, self._prefix), topic_name(NOTIFICATIONS, self._prefix)
        records: list[tuple[str, bytes, bytes | None]] = [
            (out, f"{r['receiver']}/{r['group_id']}".encode(), encode("notification", r)) for r in told
        ]
        records += [(alerts, key, value) for key, value in group_records(changes, self._log_id)]
        records.append((alerts, *progress_record(offsets, self._log_id)))
        await self._producer.begin_transaction()
        sent = [await self._producer.send(topic, value, key, partition=0) for topic, key, value in records]
        for ack in sent:
            await ack
        await self._producer.commit_transaction()
        self._offsets, self._committed_at = offsets, time.monotonic()

    def _count(self, told: Sequence[Record]) -> None:
        for name, count in self._book.counts.items():
            metrics.ALERT_PLACED.labels(name).inc(count)
        self._book.counts.clear()
        metrics.ALERT_GROUPS.set(len(self._book))
        for record in told:
            metrics.NOTIFICATIONS.labels(record["receiver"], record["action"]).inc()

    async def close(self) -> None:
        """Let go of the broker; what is in flight is left to the next owner."""
        consumer, producer, self._consumer, self._producer = self._consumer, self._producer, None, None
        if producer is not None:
            await abandon(producer)
        if consumer is not None:
            await consumer.stop()


def _gap(tp: TopicPartition, missing: int) -> Signal:
    """What retention removed before it was read is told like a threat: it is never passed over in silence."""
    title = "Alerting has missed what retention removed"
    now = round(time.time() * 1000)
    return Signal(
        kind="threat",
        at=now,
        severity="high",
        title=title,
        causes=(Cause("praetor-alert-gap", title, "high", 1),),
        text=f"{missing} records of {tp.topic}/{tp.partition} were removed before they were read for alerts."
        " They are in ClickHouse if the archive ran.",
        runbook="Keep `praetor alert` running, or agent.threats and agent.incidents for longer.",
        first_at=now,
    )
