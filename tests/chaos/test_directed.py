"""Faults with an outcome of their own: what is away at the start, and a topic whose clock is changed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiokafka import AIOKafkaProducer

import runtime.kafka
import runtime.ownership
from consumers.archive import Archive, Job
from runtime.embedded.services import Broker, ClickHouse
from schemas.topics import ACTIONS, DECISIONS, STATE, Topic, topic_name
from sinks.clickhouse import ClickHouseSink
from sinks.migrate import need_migrated
from tests.archive.helpers import QUICK, Stage
from tests.chaos.settings import changed
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, fleet
from tests.streams.helpers import Log

Said = list[Any]


async def said(lines: Said, event: str) -> str:
    """Wait until a line is logged; its reason."""
    async with asyncio.timeout(60):
        while not (found := [line for line in lines if line["event"] == event]):
            await asyncio.sleep(0.05)
    return str(found[0]["reason"])


async def test_govern_waits_for_a_broker_that_is_away(own_broker: Broker, tmp_path: Path) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", 2).mint()
    ends = await log.send(fleet(1, 200, 2))
    prefix = await log.outputs()
    own_broker.stop()
    with structlog.testing.capture_logs() as lines:
        async with log.working(prefix):
            assert own_broker.bootstrap in await said(lines, "waiting")
            own_broker.start()
            async with asyncio.timeout(60), log.following(prefix) as following:
                await following.reach(ends)
    assert not violations(await log.records(ACTIONS), await log.read(prefix))


async def test_the_archive_waits_for_a_clickhouse_that_is_away(
    broker: str, own_clickhouse: ClickHouse
) -> None:
    stage = await Stage(broker, own_clickhouse.url).prepare()
    await stage.send(DECISIONS, stage.decisions(0, 30))
    own_clickhouse.stop()
    job = Job(stage.prefix, stage.log_id, QUICK)
    sink = ClickHouseSink(stage.settings)
    archive = Archive(stage.options, sink, job, ready=lambda: need_migrated(stage.settings))
    with structlog.testing.capture_logs() as lines:
        running = asyncio.create_task(archive.run())
        assert own_clickhouse.url in await said(lines, "waiting")
        own_clickhouse.start()
        await stage.rows_are(30)
        archive.stop.set()
        await running
    await stage.exact(30)
    stage.close()


async def test_what_has_the_producers_times_is_not_judged_until_it_is_skipped(
    own_broker: Broker, tmp_path: Path
) -> None:
    """agent.actions loses its clock and gets it back: what came between stops its partition, and no other."""
    log = await Log(own_broker.bootstrap, tmp_path / "keys", 2).mint()
    prefix = await log.outputs()
    with structlog.testing.capture_logs() as lines:
        async with log.working(prefix), log.following(prefix) as following:
            before = await log.send(fleet(1, 100, 2))
            await following.reach(before)
            async with changed(log.options, ACTIONS.name, {"message.timestamp.type": "CreateTime"}):
                between = await log.send([only(0, sent) for sent in fleet(2, 20, 2)])
                assert "does not use LogAppendTime" in await said(lines, "partition stopped")
            after = await log.send(fleet(3, 100, 2))
            await following.reach({1: after[1]})
            assert following.progress[0].next_source_offset == before[0]
            skip = {"partition": 0, "from": before[0], "to": between[0], "reason": "accepted"}
            await log.order("skip", json.dumps(skip).encode())
            async with asyncio.timeout(60):
                await following.reach(after)
    source = await log.records(ACTIONS)
    source[0] = [r for r in source[0] if not before[0] <= r.offset < between[0]]
    assert not violations(source, await log.read(prefix))


def only(partition: int, sent: Sent) -> Sent:
    return sent._replace(partition=partition)


@pytest.mark.parametrize("topic", [STATE, DECISIONS], ids=lambda topic: topic.name)
async def test_a_transaction_that_nobody_ends_stops_its_partition_and_says_so(
    own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topic: Topic
) -> None:
    """A killed broker may forget a transaction's marker: then it is open for ever, as here for a while."""
    monkeypatch.setattr(runtime.kafka, "UNDECIDED_SECONDS", 1.0)
    monkeypatch.setattr(runtime.ownership, "STOPPED_RETRY_SECONDS", 0.2)
    log = await Log(own_broker.bootstrap, tmp_path / "keys", 2).mint()
    prefix = await log.outputs()
    ends = await log.send(fleet(1, 200, 2))
    forgotten = AIOKafkaProducer(**log.options, transactional_id="forgotten")
    await forgotten.start()
    await forgotten.begin_transaction()
    await forgotten.send_and_wait(topic_name(topic, prefix), b"undecided", key=b"undecided", partition=0)
    with structlog.testing.capture_logs() as lines:
        async with log.working(prefix), log.following(prefix) as following:
            reason = await said(lines, "partition stopped")
            assert f"{topic_name(topic, prefix)}/0 holds a transaction" in reason
            await following.reach({1: ends[1]})
            await forgotten.abort_transaction()
            async with asyncio.timeout(60):
                await following.reach(ends)
    await forgotten.stop()
    assert not violations(await log.records(ACTIONS), await log.read(prefix))
