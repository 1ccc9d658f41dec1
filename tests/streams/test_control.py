"""agent.control on a real broker: what the workers believe, when, and when they do not judge."""

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random

import pytest
from aiokafka import AIOKafkaProducer

from ledger.keys import SigningKey
from policies.bundle import pack_bundle
from schemas.codec import decode
from schemas.topics import CONTROL
from streams.control import ControlFollower
from streams.govern import Keys
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import LEDGER, read_signing_key, read_verify_keys
from streams.orders import Order, sign_order
from streams.pace import Pace
from streams.partition import Place
from streams.pipeline import Pipeline, Shared
from streams.takeover import Source
from tests.streams.fleet import action, routed
from tests.streams.helpers import Log, bundle

RNG = Random(2)
FOREIGN = SigningKey("foreign", b"f" * 32)
READ = routed(action(RNG), 3)
WRITE = routed(action(RNG, action="write:file"), 3)


@asynccontextmanager
async def writing(log: Log, transactional_id: str | None = None):
    producer = AIOKafkaProducer(**log.options, transactional_id=transactional_id)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@pytest.fixture
async def follower(log: Log):
    """A follower that has read to the end, and goes on only if a test says so."""
    following = ControlFollower(log.options, read_verify_keys(log.keys, CONTROL_ROLE))
    await following.start()
    try:
        yield following
    finally:
        await following.stop()


@asynccontextmanager
async def background(coroutine):
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def decisions(log: Log, prefix: str):
    outputs = await log.read(prefix)
    return [decode(r.value, "decision") for r in outputs.decisions[READ.partition]]


async def test_records_nobody_trusted_signed_are_counted_and_passed_over(
    log: Log, follower: ControlFollower
) -> None:
    before, digest = follower.view.offset, follower.view.rules.digest
    forged = Order(log.view.log_id, "bundle", "author", 1, pack_bundle(bundle("forged", "*")))
    signed = sign_order(forged, read_signing_key(log.keys / "author", CONTROL_ROLE))
    async with writing(log) as producer:
        for value in (b"garbage", None, sign_order(forged, FOREIGN), signed[:-1] + bytes([signed[-1] ^ 1])):
            await producer.send_and_wait(CONTROL.name, value, key=b"k", partition=0)
    async with background(follower.follow()):
        while follower.view.offset < before + 4:
            await asyncio.sleep(0.02)
    assert follower.view.rejected >= 4
    assert follower.view.rules.digest == digest


async def test_a_decision_names_the_bundle_that_judged_it(log: Log) -> None:
    prefix = await log.outputs()
    async with log.working(prefix), log.following(prefix) as following:
        first = log.view.offset
        await following.reach(await log.send([READ, WRITE]))
        stricter = bundle("stricter", "write:*")
        second = await log.publish(stricter)
        while (await following.step()) or not any(
            p.control_offset >= second for p in following.progress.values()
        ):
            await following.reach(await log.send([READ, WRITE]))
        await following.reach(await log.send([READ, WRITE]))
        third = await log.publish(bundle())
    judged = await decisions(log, prefix)
    for before, after in pairwise(judged):
        assert before["control_offset"] <= after["control_offset"] < third
    assert judged[0]["control_offset"] > first
    assert (judged[0]["bundle"], judged[0]["effect"]) == (bundle().digest, "allow")
    assert (judged[1]["bundle"], judged[1]["effect"]) == (bundle().digest, "deny")
    assert {(d["bundle"], d["effect"]) for d in judged[-2:]} == {
        (stricter.digest, "allow"),
        (stricter.digest, "deny"),
    }
    for decision in judged:
        assert (decision["bundle"] == stricter.digest) == (decision["control_offset"] >= second)


async def test_an_open_transaction_on_the_topic_holds_no_order_back(
    log: Log, follower: ControlFollower
) -> None:
    async with writing(log, "blocker") as blocker, background(follower.follow()):
        await blocker.begin_transaction()
        await blocker.send_and_wait(CONTROL.name, b"held open", partition=0)
        published = await log.publish(bundle())
        while follower.view.offset < published:
            await asyncio.sleep(0.02)
        await blocker.abort_transaction()


async def test_a_worker_without_a_bundle_judges_nothing(log: Log) -> None:
    prefix = await log.outputs()
    ends = await log.send([READ])
    async with log.working(prefix, trusted=1), log.following(prefix) as following:
        while len(following.progress) < log.partitions or not all(
            len(history) > 1 for history in following.history.values()
        ):
            await following.step()
        await asyncio.sleep(0.5)
    assert not await decisions(log, prefix)
    await log.judge(prefix, ends)
    assert len(await decisions(log, prefix)) == 1


async def test_a_view_that_is_not_confirmed_judges_nothing(log: Log, follower: ControlFollower) -> None:
    prefix = await log.outputs()
    place = Place(log.view.log_id, READ.partition, log.partitions)
    keys = Keys(read_signing_key(log.keys, LEDGER), ())
    async with log.asking() as ends, log.following(prefix) as following:
        pipeline = Pipeline(
            Source(log.options, ends, prefix), place, Shared(follower, Pace(), keys.ledger, {})
        )
        await pipeline.take_over()
        follower.confirmed_at -= 5
        async with background(pipeline.run()):
            sent = await log.send([READ])
            await pipeline.ready.wait()
            await asyncio.sleep(0.5)
            assert not await decisions(log, prefix)
            async with background(follower.follow()):
                await following.reach({READ.partition: sent[READ.partition]})
        await pipeline.close()
    assert len(await decisions(log, prefix)) == 1


async def test_a_worker_that_is_behind_the_progress_record_waits(log: Log, follower: ControlFollower) -> None:
    follower.view.offset -= 1
    stopping = asyncio.Event()
    waiting = asyncio.create_task(follower.reach(follower.view.offset + 1, stopping))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    follower.view.offset += 1
    assert await waiting


async def test_waiting_for_the_view_ends_when_asked_to_stop(follower: ControlFollower) -> None:
    stopping = asyncio.Event()
    stopping.set()
    assert not await follower.reach(follower.view.offset + 1, stopping)
