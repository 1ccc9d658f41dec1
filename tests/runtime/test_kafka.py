"""Explicit reads and membership of a group, on the real broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import OffsetOutOfRangeError

from runtime.embedded.process import free_port
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Ends, partition_counts, read_partition, start_consumer
from runtime.membership import Membership, NotAMember

PARTITIONS = 4
Options = dict[str, Any]


@pytest.fixture
def options(broker: str) -> Options:
    return {"bootstrap_servers": broker}


@pytest_asyncio.fixture
async def topic(options: Options) -> str:
    name = f"kafka-{uuid4().hex}"
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    await admin.close()
    return name


@pytest_asyncio.fixture
async def ends(options: Options) -> AsyncIterator[Ends]:
    ends = Ends(options)
    await ends.start()
    yield ends
    await ends.stop()


@asynccontextmanager
async def transactions(options: Options) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**options, transactional_id=uuid4().hex)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: AIOKafkaProducer, topic: str, values: Iterable[bytes]) -> None:
    await producer.begin_transaction()
    for value in values:
        await producer.send_and_wait(topic, value, partition=0)


async def read(options: Options, tp: TopicPartition, start: int, end: int) -> list[bytes | None]:
    return [r.value async for records in read_partition(options, tp, start, end) for r in records]


async def test_a_read_is_whole_and_committed_only(options: Options, topic: str, ends: Ends) -> None:
    tp = TopicPartition(topic, 0)
    async with transactions(options) as producer:
        await write(producer, topic, [b"0", b"1"])
        await producer.commit_transaction()
        await write(producer, topic, [b"aborted"])
        await producer.abort_transaction()
        await write(producer, topic, [b"open"])
        assert (await ends.beginning(tp), await ends.last_stable(tp), await ends.high_watermark(tp)) == (
            0,
            5,
            6,
        )
        stable = asyncio.create_task(ends.stable_end(tp))
        await asyncio.sleep(0.1)
        assert not stable.done(), "an open transaction hides what was committed after it began"
        await producer.abort_transaction()
        assert await stable == 6
    assert await read(options, tp, 0, 6) == [b"0", b"1"]
    assert await read(options, tp, 1, 6) == [b"1"]
    assert await read(options, tp, 0, 1) == [b"0"]
    assert await read(options, tp, 3, 3) == []
    with pytest.raises(OffsetOutOfRangeError):
        await read(options, tp, 100, 101)


async def test_missing_topics_are_named(options: Options, topic: str) -> None:
    assert await partition_counts(options, [topic]) == {topic: PARTITIONS}
    with pytest.raises(PraetorError, match=r"topics are missing: no-such-topic; make them"):
        await partition_counts(options, [topic, "no-such-topic"])


async def test_no_broker_is_unavailable() -> None:
    options = {"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    with pytest.raises(Unavailable, match="does not answer"):
        await start_consumer(options, "read_committed")
    with pytest.raises(Unavailable, match="does not answer"):
        await partition_counts(options, ["t"])


class Member:
    """A member that notes what it is told."""

    def __init__(self, options: Options, topic: str) -> None:
        self.held: set[TopicPartition] = set()
        self.told: list[str] = []
        self.membership = Membership(options, f"group-{topic}", [topic], self._assigned, self._revoked)

    async def _assigned(self, held: set[TopicPartition]) -> None:
        assert not self.held, "assigned before what was held was revoked"
        self.held = held
        self.told.append("assigned")

    async def _revoked(self, held: set[TopicPartition]) -> None:
        assert held == self.held
        self.held = set()
        self.told.append("revoked")

    async def holds(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.held) != count:
                await asyncio.sleep(0.02)


async def test_partitions_are_shared_handed_over_and_confirmed(options: Options, topic: str) -> None:
    first, second = Member(options, topic), Member(options, topic)
    await first.membership.start()
    await first.holds(PARTITIONS)
    await second.membership.start()
    await second.holds(2)
    await first.holds(2)
    assert not first.held & second.held
    mine = min(first.held)
    await first.membership.confirm(mine)
    with pytest.raises(NotAMember):
        await second.membership.confirm(mine)
    await first.membership.commit({mine: 7})
    await first.membership.confirm(mine)
    await second.membership.stop()
    assert second.held == set()
    await first.holds(PARTITIONS)
    assert first.told == ["assigned", "revoked", "assigned", "revoked", "assigned"]
    consumer = await start_consumer(options, "read_committed", group_id=f"group-{topic}")
    consumer.assign([mine])
    assert await consumer.committed(mine) == 7, "a confirmation moves nothing"
    await consumer.stop()
    await first.membership.stop()
    with pytest.raises(NotAMember):
        await first.membership.confirm(mine)


async def test_rejoining_begins_anew(options: Options, topic: str) -> None:
    member = Member(options, topic)
    await member.membership.start()
    running = asyncio.create_task(member.membership.run())
    await member.membership.rejoin()
    await member.holds(PARTITIONS)
    await member.membership.confirm(min(member.held))
    assert member.told == ["assigned", "revoked", "assigned"]
    assert not running.done()
    running.cancel()
    await member.membership.stop()
