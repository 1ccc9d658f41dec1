"""What govern is compared with: the same bytes in, decoded, the same bytes out, nothing judged or remembered.

It promises nothing of what govern promises: no progress, no state, no ledger, no fencing of partitions.
"""

import asyncio
import io
from typing import Any

import aiokafka.consumer.fetcher
import fastavro
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.record.memory_records import MemoryRecords

import streams.transaction as _same_backoff  # noqa: F401 - sets aiokafka's sleep between transactions
from bench.stack import PARTITIONS, Job
from bench.window import Window
from runtime.kafka import start_consumer, started
from schemas.catalogue import schema
from schemas.topics import ACTIONS, DECISIONS, topic_name
from streams.pace import MAX_ACTIONS
from streams.pipeline import IDLE_MS
from streams.takeover import MAX_BATCH_BYTES, TRANSACTION_TIMEOUT_MS

PREFIX_BYTES = 5


class Loop:
    """A consumer and a transactional producer over some partitions."""

    def __init__(self, job: Job, name: str, partitions: list[int]) -> None:
        self._job = job
        self._name = name
        self._partitions = [TopicPartition(ACTIONS.name, p) for p in partitions]
        self._topic = topic_name(DECISIONS, job.prefix)
        self._tail = bytes(job.settings["verdict_bytes"])
        self._consumer: Any = None
        self._producer: Any = None

    async def start(self) -> None:
        """Connect with govern's settings, make the first (slow) transaction, fetch nothing yet.

        Records are read by aiokafka alone, without what runtime.records adds to it.
        """
        options = self._job.log.options
        producer = AIOKafkaProducer(
            **options,
            transactional_id=f"{self._job.prefix}bare-{self._name}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=4 * MAX_BATCH_BYTES,
            request_timeout_ms=10_000,
        )
        self._producer = await started(producer, options)
        await producer.begin_transaction()
        await asyncio.gather(
            *[await producer.send(self._topic, b"", partition=p) for _, p in self._partitions]
        )
        await producer.commit_transaction()
        aiokafka.consumer.fetcher.MemoryRecords = MemoryRecords
        consumer = self._consumer = await start_consumer(options, "read_committed")
        consumer.assign(self._partitions)
        for tp in self._partitions:
            consumer.seek(tp, 0)
        consumer.pause(*self._partitions)

    async def run(self, until: "Left") -> None:
        """Fetch, decode, write, until nothing is left."""
        self._consumer.resume(*self._partitions)
        parsed = schema(101).parsed
        while until.left:
            found = await self._consumer.getmany(timeout_ms=IDLE_MS, max_records=MAX_ACTIONS)
            for records in found.values():
                for record in records:
                    fastavro.schemaless_reader(io.BytesIO(record.value[PREFIX_BYTES:]), parsed, None)
            if found:
                await self._write(found)
                until.left -= sum(map(len, found.values()))

    async def _write(self, found: dict[TopicPartition, list[Any]]) -> None:
        producer, tail = self._producer, self._tail
        await producer.begin_transaction()
        acks = []
        for tp, records in found.items():
            builder = producer.create_batch()
            for record in records:
                if builder.append(timestamp=None, key=record.key, value=record.value + tail) is None:
                    acks.append(await producer.send_batch(builder, self._topic, partition=tp.partition))
                    builder = producer.create_batch()
                    builder.append(timestamp=None, key=record.key, value=record.value + tail)
            acks.append(await producer.send_batch(builder, self._topic, partition=tp.partition))
        await asyncio.gather(*acks)
        await producer.commit_transaction()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
        await self._producer.stop()


class Left:
    """How many actions no loop has committed yet."""

    def __init__(self, actions: int) -> None:
        self.left = actions


async def drain_bare(job: Job) -> dict[str, Any]:
    """Drain a whole log.

    Settings: `loops`, 1 for one loop over all partitions, 12 for one each as govern has them;
    `verdict_bytes`, what a decision has more than its action.
    """
    size = PARTITIONS // job.settings["loops"]
    shares = [list(range(first, first + size)) for first in range(0, PARTITIONS, size)]
    loops = [Loop(job, str(i), share) for i, share in enumerate(shares)]
    for loop in loops:
        await loop.start()
    left = Left(job.log.actions)
    with Window(job.profile) as window:
        running = [asyncio.create_task(loop.run(left)) for loop in loops]
        while left.left:
            await asyncio.wait(running, timeout=0.005, return_when=asyncio.FIRST_EXCEPTION)
            for task in running:
                if task.done():
                    task.result()
    await asyncio.gather(*running)
    for loop in loops:
        await loop.stop()
    return window.measured(job.log.actions)
