"""The tools' producer, on a real broker."""

import secrets
from collections import defaultdict

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from runtime.errors import PraetorError, Unavailable
from schemas.keys import partition_of
from schemas.limits import MAX_VALUE_BYTES
from schemas.topics import ACTIONS
from streams.producing import ActionProducer, Published
from streams.simulation import generate_encoded


async def create(bootstrap, partitions=3):
    name = f"actions-{secrets.token_hex(4)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=ACTIONS.config)])
    await admin.close()
    return name


async def read_all(bootstrap, topic, partitions=3):
    """Keys, values and offsets of each partition."""
    found = defaultdict(list)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        every = [TopicPartition(topic, p) for p in range(partitions)]
        ends = await consumer.end_offsets(every)
        consumer.assign(every)
        for tp in every:
            consumer.seek(tp, 0)
        while any([await consumer.position(tp) < ends[tp] for tp in every]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found[tp.partition] += [(r.key, r.value, r.offset, r.timestamp) for r in records]
    return found


async def test_records_arrive_once_in_order_in_the_partition_of_their_key(broker):
    topic = await create(broker)
    sent = list(generate_encoded(1, 50, 5_000))
    async with ActionProducer({"bootstrap_servers": broker}, topic) as producer:
        for i in range(0, len(sent), 700):
            await producer.publish(sent[i : i + 700])
        published = await producer.flush()
    expected = defaultdict(list)
    for key, value in sent:
        expected[partition_of(key, 3)].append((key, value))
    found = await read_all(broker, topic)
    assert {p: [(k, v) for k, v, *_ in rows] for p, rows in found.items()} == expected
    assert published.count == 5_000
    assert published.ranges == {p: [[0, len(rows) - 1]] for p, rows in expected.items()}
    assert published.first_append_ms == min(row[3] for rows in found.values() for row in rows)


async def test_the_acknowledged_ranges_leave_out_what_others_wrote(broker):
    topic = await create(broker, 1)
    async with (
        ActionProducer({"bootstrap_servers": broker}, topic) as producer,
        AIOKafkaProducer(bootstrap_servers=broker) as other,
    ):
        await producer.publish([(b"a", b"1"), (b"b", b"2")])
        await producer.flush()
        await other.send_and_wait(topic, b"foreign", partition=0)
        await producer.publish([(b"a", b"3")])
        published = await producer.flush()
    assert published.ranges == {0: [[0, 1], [3, 3]]}


async def test_the_largest_value_passes_and_a_larger_one_is_refused_before_anything_is_sent(broker):
    topic = await create(broker, 1)
    async with ActionProducer({"bootstrap_servers": broker}, topic) as producer:
        await producer.publish([(b"k", b"x" * MAX_VALUE_BYTES)])
        assert (await producer.flush()).count == 1
        with pytest.raises(
            PraetorError,
            match="an action has a value of 1048577 bytes; 1048576 are allowed: cut long content",
        ):
            await producer.publish([(b"k", b"small"), (b"k", b"x" * (MAX_VALUE_BYTES + 1))])
        assert (await producer.flush()).count == 1


async def test_a_refusal_by_the_broker_is_said_and_what_was_acknowledged_counted(broker):
    topic = await create(broker, 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    async with ActionProducer({"bootstrap_servers": broker}, topic) as producer:
        await producer.publish([(b"k", b"v")])
        await producer.flush()
        await admin.delete_topics([topic])
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "100"})])
        await admin.close()
        with pytest.raises(PraetorError, match=f"publishing to {topic} at .* failed after 1 actions: "):
            await producer.publish([(b"k", b"x" * 1000)])
            await producer.flush()


async def test_a_missing_topic_and_a_missing_broker_are_said(broker, unused_tcp_port, monkeypatch):
    monkeypatch.setattr("streams.producing.METADATA_SECONDS", 0.5)
    with pytest.raises(PraetorError, match="has no topic nowhere: create it with `praetor topics create`"):
        async with ActionProducer({"bootstrap_servers": broker}, "nowhere"):
            pass
    with pytest.raises(Unavailable, match=f"Kafka at 127.0.0.1:{unused_tcp_port} does not answer"):
        async with ActionProducer({"bootstrap_servers": f"127.0.0.1:{unused_tcp_port}"}):
            pass


def test_ranges_join_only_neighbours():
    published = Published()
    published.add(0, 0, 10, 5)
    published.add(0, 10, 5, 3)
    published.add(1, 7, 1, None)
    published.add(0, 20, 1, 9)
    assert published.ranges == {0: [[0, 14], [20, 20]], 1: [[7, 7]]}
    assert (published.count, published.first_append_ms) == (17, 3)
