"""What a log's topics hold: read whole, or followed as it is committed."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from runtime.kafka import Ends, Options, start_consumer
from streams.progress import PROGRESS_KEY, Progress, read_progress


@dataclass
class Outputs:
    """What stands in the output topics, committed: records by partition, in order; the last progress."""

    decisions: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    dead_letters: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    threats: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    checkpoints: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    progress: dict[int, Progress] = field(default_factory=dict)
    state: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    snapshots: dict[int, list[ConsumerRecord]] = field(default_factory=dict)

    def fixed(self, partition: int) -> tuple[Any, ...]:
        """What must be the same however it was made: bytes, keys, headers, and the tree's root."""
        written = (self.decisions, self.dead_letters, self.threats)
        records = tuple([(r.key, r.value, r.headers) for r in of[partition]] for of in written)
        progress = self.progress[partition]
        return (*records, progress, progress.frontier.root())

    def cells(self, partition: int) -> dict[bytes, bytes]:
        """The agents' state as it stands at the end."""
        newest = {r.key: r.value for r in self.state[partition] if r.key != PROGRESS_KEY}
        return {key: value for key, value in newest.items() if value}


@asynccontextmanager
async def asking(options: Options) -> AsyncIterator[Ends]:
    """Where partitions end."""
    ends = Ends(options)
    await ends.start()
    try:
        yield ends
    finally:
        await ends.stop()


async def read_topics(
    options: Options, topics: Sequence[str], partitions: int
) -> dict[str, dict[int, list[ConsumerRecord]]]:
    """Every committed record of some topics, by topic and partition."""
    tps = [TopicPartition(topic, p) for topic in topics for p in range(partitions)]
    found: dict[str, dict[int, list[ConsumerRecord]]] = {
        topic: {p: [] for p in range(partitions)} for topic in topics
    }
    async with asking(options) as ends:
        stable = dict(zip(tps, await asyncio.gather(*map(ends.stable_end, tps)), strict=True))
    consumer = await start_consumer(options, "read_committed", fetch_max_wait_ms=50)
    try:
        consumer.assign(tps)
        for tp, start in (await consumer.beginning_offsets(tps)).items():
            consumer.seek(tp, start)
        for tp, end in stable.items():
            while await consumer.position(tp) < end:
                for part, records in (await consumer.getmany(timeout_ms=50)).items():
                    found[part.topic][part.partition] += records
    finally:
        await consumer.stop()
    return found


class Following:
    """The newest progress of each partition, as it is committed."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.progress: dict[int, Progress] = {}
        self.history: dict[int, list[Progress]] = defaultdict(list)

    async def step(self) -> None:
        for tp, records in (await self._consumer.getmany(timeout_ms=50)).items():
            for record in records:
                if record.key == PROGRESS_KEY:
                    self.progress[tp.partition] = read_progress(record.value, "test")
                    self.history[tp.partition].append(self.progress[tp.partition])

    def total(self) -> int:
        """How many records have been judged, over all partitions."""
        return sum(p.next_source_offset for p in self.progress.values())

    def reached(self, ends: dict[int, int]) -> bool:
        return all(p in self.progress and self.progress[p].next_source_offset >= e for p, e in ends.items())

    async def reach(self, ends: dict[int, int]) -> None:
        """Wait until each partition is judged up to its end."""
        while not self.reached(ends):
            await self.step()
