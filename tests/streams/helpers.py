"""A log on a real broker: its topics, keys and bundle; what is sent to it, and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import NotLeaderForPartitionError

from policies.bundle import Bundle, build_bundle, pack_bundle
from policies.model import Policy
from runtime.kafka import Ends, Options, start_consumer
from schemas.topics import (
    ACTIONS,
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    SNAPSHOTS,
    STATE,
    THREATS,
    Topic,
    topic_name,
)
from streams.control_view import ControlView
from streams.govern import Keys, Worker
from streams.keyring import CONTROL, LEDGER, create_key, read_signing_key, read_verify_keys
from streams.orders import Order
from streams.progress import PROGRESS_KEY, read_progress
from streams.topics import Wanted, create_topics, mint_log, publish_order, write_genesis
from tests.streams.fleet import Sent
from tests.streams.reading import Following, Outputs, asking, read_topics

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
            await _once_led(lambda: admin.delete_records(wanted))
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

    async def settled(self, topic: str) -> None:
        """Wait for the markers of what is committed: the broker writes them after it has said so."""
        async with self.asking() as ends:
            for p in range(self.partitions):
                await ends.stable_end(TopicPartition(topic, p))

    def asking(self) -> AbstractAsyncContextManager[Ends]:
        """Where partitions end."""
        return asking(self.options)

    async def records(self, topic: Topic | str) -> dict[int, list[ConsumerRecord]]:
        """Every committed record of a topic, by partition."""
        name = topic if isinstance(topic, str) else topic.name
        return (await read_topics(self.options, [name], self.partitions))[name]

    async def read(self, prefix: str) -> Outputs:
        """Everything committed under a prefix."""
        topics = (DECISIONS, DEAD_LETTERS, THREATS, CHECKPOINTS, STATE, SNAPSHOTS)
        names = [topic_name(t, prefix) for t in topics]
        found = await read_topics(self.options, names, self.partitions)
        decisions, dead, threats, checkpoints, state, snapshots = found.values()
        progress = {
            p: read_progress(next(r.value for r in reversed(records) if r.key == PROGRESS_KEY), "test")
            for p, records in state.items()
        }
        return Outputs(decisions, dead, threats, checkpoints, progress, state, snapshots)

    @asynccontextmanager
    async def following(self, prefix: str) -> AsyncIterator[Following]:
        """Follow the progress records of a prefix."""
        consumer = await start_consumer(self.options, "read_committed", fetch_max_wait_ms=50)
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


async def _once_led(call: Callable[[], Awaitable[object]]) -> None:
    """A topic that was just made may have no leader yet that knows of it."""
    while True:
        try:
            await call()
            return
        except NotLeaderForPartitionError:
            await asyncio.sleep(0.2)
