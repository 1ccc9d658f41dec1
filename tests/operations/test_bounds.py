"""What a worker may hold does not grow with what waits for it, nor with how many partitions it owns."""

import asyncio
from itertools import pairwise

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from consumers.archive import BUFFER_BYTES, LEAST_BUFFER, room
from consumers.buffer import Buffer
from consumers.cut import Source
from runtime.kafka import start_consumer, started
from sinks.tables import DECISIONS
from streams.govern import FETCH_BYTES, LEAST_FETCH_BYTES, MOST_FETCH_BYTES, fetch_bytes
from streams.pace import LEAST_ACTIONS, MAX_ACTIONS, BatchSize, Pace


def test_partitions_share_what_may_be_read_ahead() -> None:
    sizes = [fetch_bytes(n) for n in (0, 1, 12, 16, 48, 64, 1000)]
    assert all(a >= b for a, b in pairwise(sizes))
    assert (sizes[1], sizes[-1]) == (MOST_FETCH_BYTES, LEAST_FETCH_BYTES)
    assert all(n * fetch_bytes(n) <= FETCH_BYTES for n in range(1, FETCH_BYTES // LEAST_FETCH_BYTES))
    assert all(n * room(n).buffer <= BUFFER_BYTES for n in range(1, BUFFER_BYTES // LEAST_BUFFER))
    assert room(1).buffer > room(12).buffer > room(48).buffer >= LEAST_BUFFER


def test_a_batch_is_as_large_as_can_be_judged_soon() -> None:
    size = BatchSize()
    assert size.limit == MAX_ACTIONS
    size.learn(5_000, 5.0)
    assert size.limit == LEAST_ACTIONS
    size.learn(50, 0.025)
    assert size.limit == 100
    size.learn(0, 1.0)
    assert size.limit == 100
    size.learn(100, 0.0)
    assert size.limit == MAX_ACTIONS


async def test_the_loop_turns_between_two_batches() -> None:
    pace, seen = Pace(), []

    async def pipeline(number: int) -> None:
        await pace.wait()
        seen.append(f"batch {number}")

    async def broker() -> None:
        while sum(what != "heard" for what in seen) < 6:
            seen.append("heard")
            await asyncio.sleep(0)

    await asyncio.gather(*(pipeline(n) for n in range(6)), broker())
    batches = [place for place, what in enumerate(seen) if what.startswith("batch")]
    assert len(batches) == 6
    assert all("heard" in seen[a:b] for a, b in pairwise(batches))


async def test_one_response_is_read_ahead_and_no_more(broker: str) -> None:
    """What is relied on of aiokafka: while a response is not used up, its partition is not asked again."""
    options, tp = {"bootstrap_servers": broker}, TopicPartition("read-ahead", 0)
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    await admin.create_topics([NewTopic(tp.topic, 1, 1)])
    await admin.close()
    producer = await started(AIOKafkaProducer(**options), options)
    for sent in [await producer.send(tp.topic, bytes(100), partition=0) for _ in range(5_000)]:
        await sent
    await producer.stop()
    consumer = await start_consumer(
        options, "read_committed", max_partition_fetch_bytes=64 << 10, fetch_max_bytes=64 << 10
    )
    try:
        consumer.assign([tp])
        consumer.seek(tp, 0)
        assert await consumer.getmany(tp, timeout_ms=10_000, max_records=1)
        fetcher = consumer._fetcher
        held = fetcher._records[tp]
        for _ in range(20):
            await asyncio.sleep(0.02)
            assert fetcher._records == {tp: held}
            assert not fetcher._in_flight
    finally:
        await consumer.stop()


def received(offset: int) -> ConsumerRecord:
    return ConsumerRecord("agent.decisions", 0, offset, offset * 10, 0, None, bytes(100), None, 0, 100, ())


def test_a_buffer_is_full_at_its_share_and_knows_its_oldest() -> None:
    buffer = Buffer(Source("agent.decisions", 0, "log", DECISIONS), most=1_000)
    assert buffer.oldest_ms is None
    buffer.add([received(n) for n in range(5)])
    assert not buffer.full
    buffer.add([received(n) for n in range(5, 15)])
    assert buffer.full
    assert buffer.oldest_ms == 0
    assert len(buffer.take().values) == 10
    assert (buffer.oldest_ms, buffer.full) == (50, False)
    buffer.take()
    assert buffer.oldest_ms is None
