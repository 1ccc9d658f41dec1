"""A log on a real broker: its topics, keys and bundle; what is sent to it, and what came of it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from policies.bundle import Bundle, build_bundle, pack_bundle
from policies.model import Policy
from runtime.kafka import Ends, Options, read_partition, start_consumer
from schemas.topics import ACTIONS, CHECKPOINTS, DEAD_LETTERS, DECISIONS, STATE, THREATS, Topic, topic_name
from streams.control import ControlView
from streams.govern import Keys, Worker
from streams.keyring import CONTROL, LEDGER, create_key, read_signing_key, read_verify_keys
from streams.orders import Order
from streams.progress import PROGRESS_KEY, Progress, read_progress
from streams.topics import Wanted, create_topics, mint_log, publish_order, write_genesis
from tests.streams.fleet import Sent

NUMBERS = count(1)


def bundle(name: str = "base", allowed: str = "read:*") -> Bundle:
    """A bundle that allows some actions and denies the others."""
    rule = {"id": "allowed", "effect": "allow", "match": {"actions": [allowed]}, "message": "this is fine"}
    limit = {
        "id": "large",
        "effect": "deny",
        "match": {"fields": {"size_bytes": {"gt": 1000}}},
        "message": "too large",
    }
    policy = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": name, "description": name},
        "rules": [rule, limit],
        "cases": [
            {"name": "yes", "action": {"action": allowed.replace("*", "x")}, "expect": "allow"},
            {"name": "no", "action": {"action": "other:thing"}, "expect": "deny"},
        ],
    }
    return build_bundle([Policy.model_validate(policy)])


@dataclass
class Outputs:
    """What stands in the output topics, committed: records by partition, in order; the last progress."""

    decisions: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    dead_letters: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    threats: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    checkpoints: dict[int, list[ConsumerRecord]] = field(default_factory=dict)
    progress: dict[int, Progress] = field(default_factory=dict)

    def fixed(self, partition: int) -> tuple[Any, ...]:
        """What must be the same however it was made: bytes, keys, headers, and the tree's root."""
        written = (self.decisions, self.dead_letters, self.threats)
        records = tuple([(r.key, r.value, r.headers) for r in of[partition]] for of in written)
        progress = self.progress[partition]
        return (*records, progress, progress.frontier.root())


class Log:
    """A log of some partitions. Its bundles are signed by a second control key, `author`."""

    def __init__(self, bootstrap: str, keys: Path, partitions: int) -> None:
        self.bootstrap = bootstrap
        self.options: Options = {"bootstrap_servers": bootstrap}
        self.keys = keys
        self.partitions = partitions
        self.view: ControlView

    async def mint(self) -> "Log":
        await create_topics(self.options, Wanted(self.partitions))
        self.view = await mint_log(self.options, self.keys, self.partitions, 1)
        create_key(self.keys / "author", CONTROL, "author")
        public = self.keys / f"{CONTROL}.pub"
        public.write_text(public.read_text() + (self.keys / "author" / f"{CONTROL}.pub").read_text())
        await self.publish(bundle())
        return self

    async def publish(self, new: Bundle) -> int:
        """Put a bundle in force; return its control offset."""
        return await self.order("bundle", pack_bundle(new))

    async def order(self, kind: Any, payload: bytes) -> int:
        author = read_signing_key(self.keys / "author", CONTROL)
        order = Order(self.view.log_id, kind, "author", next(NUMBERS), payload)
        return await publish_order(self.options, order, author)

    async def outputs(self) -> str:
        """New output topics, with genesis at the actions' present beginning; returns their prefix."""
        prefix = f"t{next(NUMBERS)}."
        await create_topics(self.options, Wanted(self.partitions, prefix=prefix))
        assert await write_genesis(self.options, self.view, prefix) == list(range(self.partitions))
        return prefix

    async def clear(self) -> None:
        """Delete all actions, so that new outputs begin behind them."""
        await self.delete(ACTIONS.name, {p: -1 for p in range(self.partitions)})

    async def delete(self, topic: str, before: dict[int, int]) -> None:
        """Delete the records before an offset (-1: all), as retention does."""
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        try:
            wanted = {TopicPartition(topic, p): RecordsToDelete(offset) for p, offset in before.items()}
            await admin.delete_records(wanted)
        finally:
            await admin.close()

    async def send(self, records: Iterable[Sent], compression: str | None = None) -> dict[int, int]:
        """Append records, in their order within a partition; return each partition's end."""
        producer = AIOKafkaProducer(**self.options, max_batch_size=1 << 19, compression_type=compression)
        producer._max_request_size = 1 << 27
        await producer.start()
        sent: list[Any] = []
        builders: dict[int, Any] = {}
        try:
            for p, key, value, headers in records:
                builder = builders.get(p) or builders.setdefault(p, producer.create_batch())
                if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    sent.append(await producer.send_batch(builder, ACTIONS.name, partition=p))
                    builder = builders[p] = producer.create_batch()
                    assert builder.append(timestamp=None, key=key, value=value, headers=headers)
            for p, builder in builders.items():
                sent.append(await producer.send_batch(builder, ACTIONS.name, partition=p))
            await asyncio.gather(*sent)
        finally:
            await producer.stop()
        return await self.ends(ACTIONS.name)

    async def ends(self, topic: str) -> dict[int, int]:
        async with self.asking() as ends:
            return {p: await ends.high_watermark(TopicPartition(topic, p)) for p in range(self.partitions)}

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Ends]:
        ends = Ends(self.options)
        await ends.start()
        try:
            yield ends
        finally:
            await ends.stop()

    async def records(self, topic: Topic | str, prefix: str = "") -> dict[int, list[ConsumerRecord]]:
        """Every committed record of a topic, by partition."""
        name = topic if isinstance(topic, str) else topic_name(topic, prefix)
        found: dict[int, list[ConsumerRecord]] = {}
        async with self.asking() as ends:
            for p in range(self.partitions):
                tp = TopicPartition(name, p)
                start, end = await ends.beginning(tp), await ends.stable_end(tp)
                found[p] = [r async for batch in read_partition(self.options, tp, start, end) for r in batch]
        return found

    async def read(self, prefix: str) -> Outputs:
        """Everything committed under a prefix."""
        topics = (DECISIONS, DEAD_LETTERS, THREATS, CHECKPOINTS)
        decisions, dead, threats, checkpoints = [await self.records(t, prefix) for t in topics]
        progress = {
            p: read_progress(next(r.value for r in reversed(records) if r.key == PROGRESS_KEY), "test")
            for p, records in (await self.records(STATE, prefix)).items()
        }
        return Outputs(decisions, dead, threats, checkpoints, progress)

    @asynccontextmanager
    async def following(self, prefix: str) -> AsyncIterator["Following"]:
        """Follow the progress records of a prefix."""
        consumer = await start_consumer(self.options, "read_committed")
        tps = [TopicPartition(topic_name(STATE, prefix), p) for p in range(self.partitions)]
        consumer.assign(tps)
        for tp, start in (await consumer.beginning_offsets(tps)).items():
            consumer.seek(tp, start)
        try:
            yield Following(consumer)
        finally:
            await consumer.stop()

    def worker(self, prefix: str, trusted: int = 2) -> Worker:
        """A worker in this process that believes the first one or both of the control keys."""
        control = read_verify_keys(self.keys, CONTROL)[:trusted]
        return Worker(self.options, prefix, Keys(read_signing_key(self.keys, LEDGER), control))

    @asynccontextmanager
    async def working(self, prefix: str, trusted: int = 2) -> AsyncIterator[Worker]:
        """A worker that runs in this process during the block."""
        worker = self.worker(prefix, trusted)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop.set()
            await task

    async def judge(self, prefix: str, ends: dict[int, int]) -> Outputs:
        """Have one worker judge up to these ends; everything that came of it."""
        async with self.working(prefix), self.following(prefix) as following:
            await following.reach(ends)
        return await self.read(prefix)


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
