"""Actions that keep flowing, and what the broker acknowledged of them."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.abandon import abandon
from runtime.kafka import Options
from schemas.topics import ACTIONS
from tests.streams.fleet import Sent, fleet
from tests.streams.rich import rich

TICK = 0.1
ACK_SECONDS = 15.0
ENDLESS = 1 << 40
ORDINARY = 2
"""Of the fleet's records so many come before each one of agents in whom there is much to be found."""


@dataclass(frozen=True)
class Acknowledged:
    """A batch that the broker said it has: from which offset on, and the values."""

    partition: int
    first: int
    values: list[bytes | None]


def endless(seed: int, partitions: int) -> Iterator[Sent]:
    """The fleet, and such agents one after the other."""
    ordinary = fleet(seed, ENDLESS, partitions)
    for lives in count(seed):
        for sent in rich(lives, partitions):
            yield from islice(ordinary, ORDINARY)
            yield sent


@dataclass
class Traffic:
    """A seeded fleet sends so many records a second until `stop` is set; some do not decode.

    Among them are agents in whom all shipped detections find what they can.

    What was not acknowledged is sent again, so the log may hold it twice: then it is two actions.
    """

    options: Options
    seed: int
    partitions: int
    rate: int
    acknowledged: list[Acknowledged] = field(default_factory=list)
    resent: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    _sent: int = 0

    async def run(self) -> None:
        records = endless(self.seed, self.partitions)
        producer: AIOKafkaProducer | None = None
        while not self.stop.is_set():
            batch = [next(records) for _ in range(max(1, int(self.rate * TICK)))]
            while batch:
                try:
                    producer = producer or await self._producer()
                    async with asyncio.timeout(ACK_SECONDS):
                        await self._send(producer, batch)
                except (KafkaError, TimeoutError):
                    self.resent += len(batch)
                    if producer is not None:
                        await abandon(producer)
                    producer = None
                    await asyncio.sleep(0.5)
            await asyncio.sleep(TICK)
        if producer is not None:
            await abandon(producer)

    @property
    def count(self) -> int:
        """How many records were acknowledged."""
        return self._sent

    async def _producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self.options, enable_idempotence=True, request_timeout_ms=10_000)
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await producer.start()
        except BaseException:
            await abandon(producer)
            raise
        return producer

    async def _send(self, producer: AIOKafkaProducer, batch: list[Sent]) -> None:
        """Send, wait, and take out of the batch what was acknowledged."""
        by_partition: dict[int, list[Sent]] = {}
        for record in batch:
            by_partition.setdefault(record.partition, []).append(record)
        for partition, records in sorted(by_partition.items()):
            builder = producer.create_batch()
            for record in records:
                builder.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
            ack = await producer.send_batch(builder, ACTIONS.name, partition=partition)
            found = await ack
            self.acknowledged.append(Acknowledged(partition, found.offset, [r.value for r in records]))
            self._sent += len(records)
            for record in records:
                batch.remove(record)
