"""A log whose decisions the test writes itself, as govern would: in transactions, to a partition chosen."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from clickhouse_connect.driver.client import Client

from consumers.archive import Archive, Job
from consumers.intents import Intent, newest_intents
from consumers.partition import PartitionArchive
from consumers.place import ARCHIVED, Pace, Place
from consumers.recovery import Log
from consumers.writing import Destination
from runtime.kafka import Ends
from runtime.settings import Settings
from schemas.catalogue import newest, schema
from schemas.codec import Record, encode_body
from schemas.topics import (
    ARCHIVE,
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    INCIDENTS,
    SNAPSHOTS,
    THREATS,
    Topic,
    topic_name,
)
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from tests.sinks.helpers import START_MS, decision

QUICK = Pace(dry=0.05, linger=0.2)
PATIENCE = 60.0
TOPICS = (*(topic for topic, _ in ARCHIVED), ARCHIVE)


class Stage:
    """Topics under a prefix of their own, and a database of their own."""

    def __init__(self, bootstrap: str, clickhouse: str, partitions: int = 1) -> None:
        name = uuid4().hex[:12]
        self.partitions = partitions
        self.log_id = f"log-{name}"
        self.prefix = f"{name}."
        self.options = {"bootstrap_servers": bootstrap}
        self.settings = Settings(
            bootstrap=bootstrap, clickhouse_url=clickhouse, clickhouse_database=f"a_{name}"
        )
        self._clients: list[Client] = []

    async def prepare(self) -> "Stage":
        await self.create_topics()
        await asyncio.to_thread(migrate, self.settings)
        return self

    def close(self) -> None:
        for client in self._clients:
            client.close()

    async def create_topics(self, topics: Sequence[Topic] = TOPICS) -> None:
        new = [
            NewTopic(topic_name(t, self.prefix), self.partitions, 1, topic_configs=t.config) for t in topics
        ]
        async with self.admin() as admin:
            reply = await admin.create_topics(new)
        assert not [error for error in reply.topic_errors if error[1]], reply

    async def delete_topics(self, *topics: Topic) -> None:
        async with self.admin() as admin:
            await admin.delete_topics([topic_name(t, self.prefix) for t in topics])
            while set(await admin.list_topics()) & {topic_name(t, self.prefix) for t in topics}:
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    def decisions(self, first: int, count: int, partition: int = 0, **values: Any) -> list[Record]:
        return [decision(first + i, self.log_id, partition=partition, **values) for i in range(count)]

    async def send(
        self, topic: Topic, records: Iterable[Record], abort: bool = False, schema_id: int | None = None
    ) -> None:
        """Write framed records in one transaction, each to its own partition."""
        of = newest(_NAMES[topic.name]) if schema_id is None else schema(schema_id)
        await self.send_raw(topic, [(r["partition"], of.prefix + encode_body(of, r)) for r in records], abort)

    async def send_raw(
        self, topic: Topic, values: Iterable[tuple[int, bytes | None]], abort: bool = False
    ) -> None:
        async with self.transaction(abort) as producer:
            name = topic_name(topic, self.prefix)
            sent = [await producer.send(name, v, key=b"k", partition=p) for p, v in values]
            await asyncio.gather(*sent)

    @asynccontextmanager
    async def transaction(self, abort: bool = False) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(**self.options, transactional_id=uuid4().hex, max_request_size=8 << 20)
        await producer.start()
        try:
            await producer.begin_transaction()
            yield producer
            await (producer.abort_transaction() if abort else producer.commit_transaction())
        finally:
            await producer.stop()

    def archive(self, sink: ClickHouseSink | None = None, pace: Pace = QUICK) -> Archive:
        return Archive(
            self.options, sink or ClickHouseSink(self.settings), Job(self.prefix, self.log_id, pace)
        )

    @asynccontextmanager
    async def archiving(self, sink: ClickHouseSink | None = None) -> AsyncIterator[Archive]:
        """An archive that runs during the block; what it raises is raised at the end."""
        archive = self.archive(sink)
        task = asyncio.create_task(archive.run())
        try:
            yield archive
        finally:
            archive.stop.set()
            await task

    async def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the test's database."""
        if not self._clients:
            self._clients.append(await asyncio.to_thread(connect, self.settings))
        result = await asyncio.to_thread(self._clients[0].query, sql)
        return [tuple(row) for row in result.result_rows]

    async def count(self, table: str = "decisions") -> int:
        return int((await self.ask(f"SELECT count() FROM {table}"))[0][0])

    async def rows_are(self, rows: int, table: str = "decisions") -> None:
        """Wait until a table holds so many rows."""
        await until(lambda: self.count(table), rows)

    async def exact(self, rows: int, partition: int = 0) -> None:
        """Check that decisions and leaves hold seq 0 to rows - 1 of a partition, once each."""
        for table in ("decisions", "leaves"):
            found = await self.ask(
                "SELECT count(), uniqExact(seq), min(seq), max(seq)"
                f" FROM {table} WHERE partition = {partition}"
            )
            assert found == [(rows, rows, 0, rows - 1)], table

    async def intents(self, partition: int = 0) -> dict[str, Intent]:
        """The newest intents, by topic without prefix."""
        ends = Ends(self.options)
        await ends.start()
        try:
            tp = TopicPartition(topic_name(ARCHIVE, self.prefix), partition)
            topics = [topic_name(topic, self.prefix) for topic, _ in ARCHIVED]
            found = await newest_intents(self.options, ends, tp, self.log_id, topics)
        finally:
            await ends.stop()
        return {topic.removeprefix(self.prefix): intent for topic, intent in found.items()}

    def checkpoint(self, size: int) -> Record:
        return {
            "log_id": self.log_id,
            "partition": 0,
            "size": size,
            "root": bytes(32),
            "received_at": START_MS + size,
            "note": f"note of {size}",
        }


class Owner:
    """One partition's archive without the group, so that the test says who takes over when."""

    def __init__(self, stage: Stage, sink: ClickHouseSink, partition: int = 0) -> None:
        self._ends = Ends(stage.options)
        self._sink = Destination(sink, 4)
        place = Place(stage.log_id, partition, stage.prefix)
        self.archive = PartitionArchive(Log(stage.options, self._ends), self._sink, place, QUICK)

    async def __aenter__(self) -> PartitionArchive:
        await self._ends.start()
        await self._sink.open()
        return self.archive

    async def __aexit__(self, *_: object) -> None:
        await self.archive.close()
        await self._sink.close()
        await self._ends.stop()


_NAMES = {
    DECISIONS.name: "decision",
    THREATS.name: "threat",
    DEAD_LETTERS.name: "dead_letter",
    CHECKPOINTS.name: "checkpoint",
    SNAPSHOTS.name: "snapshot",
    INCIDENTS.name: "incident",
    DELIVERIES.name: "delivery",
}


async def until(read: Any, wanted: Any) -> None:
    """Wait until an awaitable read gives what is wanted; the test fails after a minute."""
    deadline = time.monotonic() + PATIENCE
    while (found := await read()) != wanted:
        assert time.monotonic() < deadline, f"{found} after {PATIENCE} s; {wanted} was awaited"
        await asyncio.sleep(0.02)
