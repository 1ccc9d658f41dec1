"""How far this process is behind, partition by partition: looked at every second, told as metrics."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from runtime import metrics
from runtime.errors import Unavailable
from runtime.health import Check, Confirmed
from runtime.kafka import Ends, Options, consumer_at

log = structlog.get_logger()

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 5.0
BROKER_SECONDS = 10.0
STILL_TURNS = 2


class Behind(Protocol):
    """What a partition's work says of where it stands."""

    @property
    def reached(self) -> int | None:
        """The offset before which all is done; None if unknown."""
        ...

    @property
    def oldest_ms(self) -> int | None:
        """The broker's append time of about the oldest record not done; None if none is in hand."""
        ...

    @property
    def saturated(self) -> bool:
        """Whether its fetching waits until what was read is written."""
        ...

    def tell(self) -> None:
        """Set the gauges of this partition alone; called every second."""
        ...


class Lag:
    """Watches the partitions that are worked on; `broker` says when the broker last answered.

    Not promised: exactness to the record. Offsets of transaction markers count, and between two looks
    things move on.
    """

    def __init__(
        self, options: Options, ends: Ends, topic: Callable[[], str], work: Callable[[], Mapping[int, Behind]]
    ) -> None:
        self.broker = Confirmed(BROKER_SECONDS)
        self._options = options
        self._ends = ends
        self._topic = topic
        self._work = work
        begun = time.monotonic()
        metrics.BROKER_AGE.set_function(lambda: self.broker.age() or time.monotonic() - begun)
        self._found: dict[int, tuple[int, float]] = {}
        self._still: dict[int, tuple[int, int]] = {}
        self._times: dict[int, tuple[int, int]] = {}

    async def follow(self) -> None:
        """Look every second until cancelled; a broker that does not answer is only noted."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._look()
            except (KafkaError, Unavailable, TimeoutError) as error:
                log.debug("lag unknown", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    def check(self) -> Check:
        """The figures; lag by itself never makes a process unready."""
        records = {str(p): lag for p, (lag, _) in sorted(self._found.items())}
        oldest = max((age for _, age in self._found.values()), default=0.0)
        return Check(
            True,
            {"records": sum(records.values()), "oldest_seconds": round(oldest, 1), "partitions": records},
        )

    async def _look(self) -> None:
        asked = time.monotonic()
        topic = self._topic()
        work = dict(self._work())
        ends = await self._ends.last_stables([TopicPartition(topic, p) for p in work])
        self.broker.now(asked)
        self._forget(work)
        metrics.PARTITIONS_SATURATED.set(sum(w.saturated for w in work.values()))
        for one in work.values():
            one.tell()
        for tp, end in ends.items():
            reached = work[tp.partition].reached
            if reached is not None:
                lag = max(0, end - reached)
                age = await self._age(tp, reached, work[tp.partition]) if lag else 0.0
                self._found[tp.partition] = lag, age
                metrics.LAG.labels(str(tp.partition)).set(lag)
                metrics.OLDEST_AGE.labels(str(tp.partition)).set(age)

    async def _age(self, tp: TopicPartition, reached: int, work: Behind) -> float:
        """Seconds since the oldest was appended: what the work has in hand, else what the log holds there."""
        before, turns = self._still.get(tp.partition, (-1, 0))
        self._still[tp.partition] = reached, turns + 1 if reached == before else 0
        at = work.oldest_ms
        if at is None and self._still[tp.partition][1] >= STILL_TURNS:
            at = await self._append_time(tp, reached)
        return 0.0 if at is None else max(0.0, time.time() - at / 1000)

    async def _append_time(self, tp: TopicPartition, offset: int) -> int | None:
        known = self._times.get(tp.partition)
        if known is not None and known[0] == offset:
            return known[1]
        found = await append_time(self._options, tp, offset)
        if found is not None:
            self._times[tp.partition] = offset, found
        return found

    def _forget(self, work: Mapping[int, Behind]) -> None:
        for partition in self._found.keys() - work.keys():
            del self._found[partition]
            for gauge in (metrics.LAG, metrics.OLDEST_AGE, metrics.CHECKPOINT_AGE, metrics.BUFFER_BYTES):
                gauge.remove(str(partition))


async def append_time(options: Options, tp: TopicPartition, offset: int) -> int | None:
    """The broker's append time, milliseconds, of the first record from an offset on; None: none is there now.

    Raises:
        KafkaError, Unavailable: the broker does not answer.
    """
    async with consumer_at(options, tp, offset, max_partition_fetch_bytes=1) as consumer:
        found = await consumer.getmany(tp, timeout_ms=int(ANSWER_SECONDS * 500), max_records=1)
    return next((int(record.timestamp) for record in found.get(tp, [])), None)
