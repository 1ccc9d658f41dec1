"""What every reader of partitions needs of Kafka: options, where partitions end, explicit reads.

Source of what is stated about aiokafka: its 0.14.0 code.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from runtime.errors import PraetorError
from runtime.kafka_clients import (
    Options,
    Reader,
    check_access,
    group_members,
    partition_counts,
    started,
    visible,
)
from runtime.kafka_security import security_options
from runtime.records import install
from runtime.settings import Settings, need_bootstrap

__all__ = [
    "Ends",
    "Isolation",
    "Options",
    "check_access",
    "common_options",
    "consumer_at",
    "group_members",
    "partition_counts",
    "read_partition",
    "start_consumer",
    "started",
    "visible",
]

Isolation = Literal["read_committed", "read_uncommitted"]

# A long poll costs an idle partition nothing and delays nobody: the broker answers when there is data.
LONG_POLL_MS = 5_000
FETCH_BYTES = 8 << 20
STABLE_POLL_SECONDS = 0.02
# longer than a transaction of ours (15 s) or of a client with Kafka's default (60 s), and the broker's sweep
UNDECIDED_SECONDS = 90.0

install()


def common_options(settings: Settings) -> Options:
    """Options that every Kafka client takes: where the brokers are, TLS, the login.

    Their `repr` tells no secret.

    Raises:
        PraetorError: no bootstrap servers are known, or a file of TLS is not what it should be.
    """
    return {"bootstrap_servers": need_bootstrap(settings), **security_options(settings)}


class Ends:
    """Where partitions begin and end; two connections for any number of partitions."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._consumers: list[AIOKafkaConsumer] = []

    async def start(self) -> None:
        """Connect.

        Raises:
            Unavailable: no broker answers.
        """
        isolations: tuple[Isolation, ...] = ("read_uncommitted", "read_committed")
        for isolation in isolations:
            self._consumers.append(await start_consumer(self._options, isolation))

    async def stop(self) -> None:
        """Disconnect."""
        while self._consumers:
            await self._consumers.pop().stop()

    async def beginning(self, tp: TopicPartition) -> int:
        """The first offset that is still there (or the end, where nothing is)."""
        found = await (await self._seeing(0, tp)).beginning_offsets([tp])
        return int(found[tp])

    async def high_watermark(self, tp: TopicPartition) -> int:
        """The offset after the last record, of open transactions too."""
        found = await (await self._seeing(0, tp)).end_offsets([tp])
        return int(found[tp])

    async def last_stable(self, tp: TopicPartition) -> int:
        """The offset before which every transaction is decided."""
        found = await (await self._seeing(1, tp)).end_offsets([tp])
        return int(found[tp])

    async def last_stables(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """`last_stable` of several partitions, by one request a broker; asks even where there are none."""
        if not tps:
            await self._consumers[1].topics()
            return {}
        found: dict[TopicPartition, int] = await self._consumers[1].end_offsets(tps)
        return found

    async def _seeing(self, which: int, tp: TopicPartition) -> AIOKafkaConsumer:
        await visible(self._consumers[which], self._options, tp.topic)
        return self._consumers[which]

    async def stable_end(self, tp: TopicPartition) -> int:
        """The high watermark as it stands now, once every record before it is decided.

        It waits as long as a foreign transaction is open, at most UNDECIDED_SECONDS: a broker that was killed
        may hold a transaction to be complete whose marker it never wrote (seen with Kafka 4.3.1), and what
        stands behind such a one is never decided.

        Raises:
            PraetorError: a transaction is open for longer than that.
        """
        end, began = await self.high_watermark(tp), time.monotonic()
        while (stable := await self.last_stable(tp)) < end:
            if time.monotonic() - began > UNDECIDED_SECONDS:
                raise PraetorError(
                    f"{tp.topic}/{tp.partition} holds a transaction from offset {stable} on that has been "
                    f"open for {UNDECIDED_SECONDS:.0f} s: nobody can read on. If no producer is at it, the "
                    "broker has forgotten to end it: see `kafka-transactions.sh find-hanging`, and end it "
                    "only as its other partitions were ended (abort it where one was committed, and records "
                    "are doubled)"
                )
            await asyncio.sleep(STABLE_POLL_SECONDS)
        return end


async def start_consumer(options: Options, isolation: Isolation, **more: Any) -> AIOKafkaConsumer:
    """A started consumer without a group; the caller assigns, seeks and stops it.

    A position out of range raises (`auto_offset_reset=none`); idle fetches are long polls.

    Raises:
        Unavailable: no broker answers.
    """
    chosen = {
        "isolation_level": isolation,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "fetch_max_wait_ms": LONG_POLL_MS,
        "max_partition_fetch_bytes": FETCH_BYTES,
        "fetch_max_bytes": 4 * FETCH_BYTES,
        **more,
    }
    return await started(Reader(**options, **chosen), options)


@asynccontextmanager
async def consumer_at(
    options: Options, tp: TopicPartition, offset: int, isolation: Isolation = "read_committed", **more: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of one partition that reads from `offset`; stopped at the end of the block.

    Raises:
        Unavailable: no broker answers.
    """
    consumer = await start_consumer(options, isolation, **more)
    try:
        await visible(consumer, options, tp.topic)
        consumer.assign([tp])
        consumer.seek(tp, offset)
        yield consumer
    finally:
        await consumer.stop()


async def read_partition(
    options: Options, tp: TopicPartition, start: int, end: int, isolation: Isolation = "read_committed"
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Yield the records of offsets `start` ≤ offset < `end`, and return once the position has reached `end`.

    Aborted records, markers and what compaction removed are passed over. `end` must not lie behind the last
    stable offset (see `Ends.stable_end`), else this waits until it is reached. Whoever may leave it before
    its end closes it (`contextlib.aclosing`).

    Raises:
        aiokafka.errors.OffsetOutOfRangeError: `start` is before the log's beginning or after its end.
        Unavailable: no broker answers.
    """
    if start >= end:
        return
    async with consumer_at(options, tp, start, isolation) as consumer:
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=100)).values():
                wanted = records if records[-1].offset < end else [r for r in records if r.offset < end]
                if wanted:
                    yield wanted
