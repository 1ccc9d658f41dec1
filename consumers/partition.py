"""Archives one partition number: its decisions, threats, dead letters and checkpoints, with one producer."""

import asyncio
import time
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from consumers.buffer import Buffer
from consumers.cut import Cut, cut
from consumers.intents import Intent, commit_intents, newest_intents
from consumers.place import Pace, Place, Room
from consumers.recovery import Log, complete, reread, starting_offset
from consumers.writing import Destination
from runtime import metrics
from runtime.abandon import abandon
from runtime.errors import PraetorError
from runtime.health import Watch
from runtime.kafka import start_consumer, started
from schemas.topics import ARCHIVE, DECISIONS, topic_name

log = structlog.get_logger()

TRANSACTION_TIMEOUT_MS = 15_000


class PartitionArchive:
    """Owns one partition number from `take_over` on, until `run` returns or raises."""

    def __init__(
        self, broker: Log, sink: Destination, place: Place, pace: Pace, room: Room | None = None
    ) -> None:
        self.stopping = asyncio.Event()
        self.ready = asyncio.Event()
        self.watch = Watch()
        self.place = place
        self._broker = broker
        self._sink = sink
        self._pace = pace
        self._topic = topic_name(ARCHIVE, place.prefix)
        self._room = room or Room()
        self._buffers = {s.topic: Buffer(s, self._room.buffer) for s in place.sources()}
        self._intents: dict[str, Intent] = {}
        self._oldest = 0.0
        self._read_to: int | None = None
        self._writing: tuple[int, int | None] = (0, None)
        self._producer: AIOKafkaProducer | None = None
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def position(self) -> int | None:
        """The next decision to archive."""
        intent = self._intents.get(topic_name(DECISIONS, self.place.prefix))
        return intent.last_offset + 1 if intent is not None and intent.done else None

    @property
    def reached(self) -> int | None:
        """The decision after the last that was inserted; those in hand are not."""
        return None if self._read_to is None else self._read_to - len(self._decisions) - self._writing[0]

    @property
    def oldest_ms(self) -> int | None:
        """When about the oldest decision in hand was written."""
        return self._decisions.oldest_ms if self._writing[1] is None else self._writing[1]

    @property
    def saturated(self) -> bool:
        """Whether it reads no more until it has inserted."""
        return self._full()

    def tell(self) -> None:
        """Set the gauges of this partition."""
        size = sum(buffer.bytes for buffer in self._buffers.values())
        metrics.BUFFER_BYTES.labels(str(self.place.partition)).set(size)

    @property
    def _decisions(self) -> Buffer:
        return self._buffers[topic_name(DECISIONS, self.place.prefix)]

    async def take_over(self) -> None:
        """Fence the old owner, complete what it left, and stand where the intents end.

        The caller's place in the group must just have been confirmed by a commit under its generation.

        Raises:
            PraetorError: the partition cannot be archived; the message says why.
            KafkaError: the broker did not let it be done now.
        """
        began = time.monotonic()
        self.watch.does("fencing the old owner", within=None)
        self._producer = await self._fence()
        self.watch.does("reading agent.archive", within=None)
        tp = TopicPartition(self._topic, self.place.partition)
        found = await newest_intents(
            self._broker.options, self._broker.ends, tp, self.place.log_id, self._buffers
        )
        self._intents = found
        left = [intent for intent in found.values() if not intent.done]
        self.watch.does("completing what the last owner left", within=None)
        for intent in left:
            source = self._buffers[intent.topic].source
            again = await reread(self._broker, source, intent)
            async with self._sink.turns:
                await complete(self._sink, source, again)
        await self._finish()
        positions = {
            topic: await starting_offset(self._broker, self._sink, buffer.source, self._intents.get(topic))
            for topic, buffer in self._buffers.items()
        }
        self._consumer = await self._read_from(positions)
        log.info(
            "partition taken over",
            partition=self.place.partition,
            offsets=positions,
            completed=[intent.place for intent in left],
            seconds=round(time.monotonic() - began, 3),
        )

    async def _fence(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._broker.options,
            transactional_id=self.place.transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=10_000,
        )
        return await started(producer, self._broker.options)

    async def _read_from(self, positions: dict[str, int]) -> AIOKafkaConsumer:
        fetch = self._room.fetch
        consumer = await start_consumer(
            self._broker.options,
            "read_committed",
            max_partition_fetch_bytes=fetch,
            fetch_max_bytes=2 * fetch,
        )
        tps = {TopicPartition(topic, self.place.partition): at for topic, at in positions.items()}
        consumer.assign(list(tps))
        for tp, at in tps.items():
            consumer.seek(tp, at)
        return consumer

    async def run(self) -> None:
        """Archive until asked to stop.

        Raises:
            PraetorError: what is next cannot be archived.
            KafkaError: fenced, or a transaction's fate is unknown.
        """
        consumer = self._consumer
        if consumer is None:
            raise RuntimeError("run comes after take_over")
        self.ready.set()
        while not self.stopping.is_set():
            self.watch.does("reading")
            dry = not await self._read(consumer)
            waiting = any(self._buffers.values())
            if waiting and (dry or self._due()):
                if self._full() or not self._sink.turns.locked():
                    self.watch.does("waiting for a turn to insert", within=None)
                    async with self._sink.turns:
                        await self._flush()
            elif dry:
                await self._finish(consumer)
        await self._finish()

    def _due(self) -> bool:
        return self._full() or time.monotonic() - self._oldest >= self._pace.linger

    def _full(self) -> bool:
        buffers = self._buffers.values()
        return any(b.full for b in buffers) or sum(b.bytes for b in buffers) >= self._room.buffer

    async def _read(self, consumer: AIOKafkaConsumer) -> bool:
        found = await consumer.getmany(timeout_ms=int(self._pace.dry * 1000))
        if found and not any(self._buffers.values()):
            self._oldest = time.monotonic()
        for tp, records in found.items():
            self._buffers[tp.topic].add(records)
            if tp.topic == self._decisions.source.topic:
                self._read_to = records[-1].offset + 1
        if not found and not any(self._buffers.values()):
            tp = TopicPartition(self._decisions.source.topic, self.place.partition)
            self._read_to = await consumer.position(tp)
        return bool(found)

    async def _flush(self) -> None:
        """Commit the intents of one run of each topic, then insert the runs."""
        began = time.monotonic()
        ready = [buffer for buffer in self._buffers.values() if len(buffer)]
        self.watch.does("inserting", within=None)
        held, oldest = len(self._decisions), self._decisions.oldest_ms
        runs = [(buffer.source, buffer.take()) for buffer in ready]
        self._writing = (held - len(self._decisions), oldest)
        cuts = [await asyncio.to_thread(cut, source, run) for source, run in runs]
        for found in cuts:
            self._check_follows(found)
        begun = {found.source.topic for found in cuts}
        beside = [i.finished(0) for t, i in self._intents.items() if not i.done and t not in begun]
        await self._commit([self._intent(found) for found in cuts] + beside)
        for found in cuts:
            for batch in found.batches:
                await self._sink.write(batch)
            metrics.ARCHIVED.labels(found.source.table.name).inc(found.rows)
        self._writing = (0, None)
        metrics.ARCHIVE_SECONDS.observe(time.monotonic() - began)

    def _check_follows(self, found: Cut) -> None:
        before = self._intents.get(found.source.topic)
        expected = before.last_seq + 1 if before is not None else 0
        if found.source.table.numbered and found.first_seq != expected:
            raise PraetorError(
                f"{found.source.place} offset {found.first_offset} has seq {found.first_seq}, but the next "
                f"to archive is {expected}: decisions between are missing, or the topic was recreated. "
                "Not archived"
            )

    def _intent(self, found: Cut) -> Intent:
        return Intent(
            log_id=self.place.log_id,
            topic=found.source.topic,
            partition=self.place.partition,
            done=False,
            first_offset=found.first_offset,
            last_offset=found.last_offset,
            first_seq=found.first_seq,
            last_seq=found.last_seq,
            rows=found.rows,
        )

    async def _finish(self, consumer: AIOKafkaConsumer | None = None) -> None:
        """Commit as done what is pending and was inserted.

        With a consumer (all that it read is inserted) its position is kept too: it lies beyond markers and
        aborted records, so that their removal by retention is not taken for a loss.
        """
        finished = []
        for topic, intent in self._intents.items():
            tp = TopicPartition(topic, self.place.partition)
            if not intent.done:
                finished.append(intent.finished(await consumer.position(tp) if consumer is not None else 0))
        if finished:
            await self._commit(finished)

    async def _commit(self, intents: Sequence[Intent]) -> None:
        if self._producer is None:
            raise RuntimeError("no producer: take_over was not called")
        await commit_intents(self._producer, self._topic, intents)
        self._intents |= {intent.topic: intent for intent in intents}

    async def close(self) -> None:
        """Let go of the broker. Whatever is in flight is left to the next owner."""
        consumer, producer, self._consumer, self._producer = self._consumer, self._producer, None, None
        if producer is not None:
            await abandon(producer)
        if consumer is not None:
            await consumer.stop()
