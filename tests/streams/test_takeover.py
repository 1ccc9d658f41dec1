"""Taking a partition over in this process: what is found, what is waited for, and what stops it clearly."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from structlog.testing import capture_logs

import runtime.ownership
from runtime.errors import PraetorError
from schemas.codec import decode
from schemas.topics import ACTIONS, STATE, topic_name
from streams.control_view import ControlView
from streams.partition import Place
from streams.progress import PROGRESS_KEY, Progress
from streams.takeover import Source, read_state
from streams.topics import Wanted, check_topics, create_topics
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, action, fleet, routed
from tests.streams.helpers import Log, bundle
from tests.streams.rich import mixed, remembering_most, rich

RNG = Random(3)
PARTITIONS = 3
Events = list[Any]


def some(partition: int, count: int = 1) -> list[Sent]:
    """Right actions in one partition."""
    found: list[Sent] = []
    while len(found) < count:
        sent = routed(action(RNG, f"agent-{RNG.randrange(1000)}"), PARTITIONS)
        found += [sent] * (sent.partition == partition)
    return found


def thirds(records: list[Sent]) -> Iterator[list[Sent]]:
    third = len(records) // 3
    yield from (records[:third], records[third : 2 * third], records[2 * third :])


async def event(events: Events, name: str, **fields: Any) -> Any:
    """Wait until this was logged."""
    while True:
        for entry in events:
            if entry["event"] == name and fields.items() <= entry.items():
                return entry
        await asyncio.sleep(0.02)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[Events]:
    """What the workers log; stopped partitions are tried again soon."""
    monkeypatch.setattr(runtime.ownership, "STOPPED_RETRY_SECONDS", 0.2)
    with capture_logs() as logged:
        yield logged


async def recreate_actions(log: Log, **config: str) -> None:
    admin = AIOKafkaAdminClient(**log.options)
    await admin.start()
    try:
        await admin.delete_topics([ACTIONS.name])
        while ACTIONS.name in await admin.list_topics():
            await asyncio.sleep(0.05)
        wanted = {**ACTIONS.config, **{name.replace("_", "."): v for name, v in config.items()}}
        await admin.create_topics([NewTopic(ACTIONS.name, PARTITIONS, 1, topic_configs=wanted)])
        while len((await admin.describe_topics([ACTIONS.name]))[0]["partitions"]) < PARTITIONS:
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_a_recreated_topic_stops_its_partitions_and_no_others(log: Log, events: Events) -> None:
    await recreate_actions(log)
    prefix = await log.outputs()
    before = await log.judge(prefix, await log.send(some(0, 3)))
    await recreate_actions(log)
    async with log.working(prefix), log.following(prefix) as following:
        stopped = await event(events, "partition stopped")
        await log.send(some(1))
        await following.reach({1: 1})
    assert (stopped["partition"], stopped["log_level"]) == (0, "error")
    assert "ends at offset 0, but actions up to 3 were judged" in stopped["reason"]
    assert (await log.read(prefix)).fixed(0) == before.fixed(0)


async def test_producers_clocks_stop_a_partition(log: Log, events: Events) -> None:
    await recreate_actions(log, message_timestamp_type="CreateTime")
    prefix = await log.outputs()
    await log.send(some(0))
    async with log.working(prefix):
        stopped = await event(events, "partition stopped", partition=0)
    await recreate_actions(log)
    assert "LogAppendTime" in stopped["reason"]
    assert not (await log.read(prefix)).decisions[0]


async def test_unjudged_actions_that_were_deleted_stop_it_until_a_signed_skip(
    log: Log, events: Events
) -> None:
    prefix = await log.outputs()
    (start,) = [p.next_source_offset for n, p in (await log.read(prefix)).progress.items() if n == 1]
    ends = await log.send(some(1, 5))
    await log.delete(ACTIONS.name, {1: start + 3})
    async with log.working(prefix), log.following(prefix) as following:
        stopped = await event(events, "partition stopped", partition=1)
        assert f"--from {start} --to {start + 3}" in stopped["reason"]
        await log.order("skip", f'{{"partition": 1, "from": {start}, "to": {start + 3}}}'.encode())
        await following.reach(ends)
    outputs = await log.read(prefix)
    assert len(outputs.decisions[1]) == 2
    assert not violations(await log.records(ACTIONS.name), outputs)


async def test_an_open_transaction_on_the_state_is_waited_for(log: Log, events: Events) -> None:
    prefix = await log.outputs()
    ends = await log.send([*some(0), *some(1)])
    foreign = AIOKafkaProducer(**log.options, transactional_id=f"foreign-{prefix}")
    await foreign.start()
    await foreign.begin_transaction()
    await foreign.send_and_wait(topic_name(STATE, prefix), b"v", key=b"agent\x00cell", partition=0)
    async with log.working(prefix), log.following(prefix) as following:
        await following.reach({1: ends[1], 2: ends[2]})
        await asyncio.sleep(0.3)
        assert not [e for e in events if e["event"] == "partition taken over" and e["partition"] == 0]
        await foreign.abort_transaction()
        await foreign.stop()
        taken = await event(events, "partition taken over", partition=0)
        await following.reach(ends)
    assert taken["agents"] == 0
    assert not violations(await log.records(ACTIONS.name), await log.read(prefix))


async def test_what_was_kept_over_a_rebalance_stays_warm(log: Log, events: Events) -> None:
    """All that keeps something of agents is on, and is taken over with them."""
    prefix = await log.outputs()
    await log.publish(remembering_most())
    first, second, third = thirds(mixed(1, fleet(1, 900, PARTITIONS), rich(1, PARTITIONS)))
    async with log.working(prefix), log.following(prefix) as following:
        await following.reach(await log.send(first))
        del events[:]
        async with log.working(prefix):
            while sum(e["event"] == "partition taken over" for e in events) < PARTITIONS:
                await asyncio.sleep(0.02)
            await following.reach(await log.send(second))
        while sum(e["event"] == "partition taken over" for e in events) < 2 * PARTITIONS:
            await asyncio.sleep(0.02)
        await following.reach(await log.send(third))
    taken = [e for e in events if e["event"] == "partition taken over"]
    assert sum(e["warm"] for e in taken[:PARTITIONS]) in (1, 2)
    assert sum(e["warm"] for e in taken[PARTITIONS:]) in (1, 2)
    outputs = await log.read(prefix)
    assert not violations(await log.records(ACTIONS.name), outputs)
    calm_prefix = await log.outputs()
    calm = await log.judge(calm_prefix, await log.ends(ACTIONS.name))
    await log.publish(bundle())
    for p in range(PARTITIONS):
        assert outputs.fixed(p)[:3] == calm.fixed(p)[:3]
        assert outputs.cells(p) == calm.cells(p)
    found = {decode(r.value, "threat")["detector"] for of in calm.threats.values() for r in of}
    assert len(found) >= 25


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "holds no progress record"),
        (b"garbage", "is corrupt"),
        (Progress("another-log").to_bytes(), "belongs to log another-log"),
        (Progress("log", engine="999").to_bytes(), "judged by engine version 999"),
    ],
)
async def test_a_progress_record_that_cannot_be_taken_up_is_a_clear_error(
    log: Log, value: bytes | None, why: str
) -> None:
    prefix = f"state{abs(hash(why))}."
    await create_topics(log.options, Wanted(PARTITIONS, prefix=prefix))
    if value is not None:
        producer = AIOKafkaProducer(**log.options)
        await producer.start()
        await producer.send_and_wait(topic_name(STATE, prefix), value, key=PROGRESS_KEY, partition=0)
        await producer.stop()
    async with log.asking() as ends:
        with pytest.raises(PraetorError, match=why):
            await read_state(Source(log.options, ends, prefix), Place("log", 0, PARTITIONS), None)


async def test_missing_topics_stop_a_worker_at_once(log: Log) -> None:
    with pytest.raises(PraetorError, match=r"missing: absent\.agent"):
        await log.worker("absent.").run()


async def test_another_partition_count_stops_a_worker_at_once(log: Log) -> None:
    view = ControlView((), log_id=log.view.log_id, partitions=PARTITIONS + 1)
    with pytest.raises(PraetorError, match="partition count is frozen"):
        await check_topics(log.options, view, "")
