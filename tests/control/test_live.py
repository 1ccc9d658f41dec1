"""Orders while workers judge: when they begin and end, who is not believed, what dies meanwhile."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from ledger.keys import SigningKey
from runtime.kafka import read_partition
from schemas.codec import decode, encode
from schemas.topics import ACTIONS, CONTROL, WORKERS, topic_name
from streams import worker_report
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import read_signing_key
from streams.orders import Order, sign_order
from streams.standing_orders import payload
from streams.topics import Wanted, create_topics
from tests.control.conftest import Control
from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.workers import Workers

A0 = {"kind": "agent", "tenant": "acme", "agent": "a0"}


async def test_an_order_is_over_by_the_broker_s_clock_alone_and_all_derive_the_same(
    control: Control,
) -> None:
    """The end lies between two actions; whoever judges them later, alone or not, comes to the same bytes."""
    log = control.log
    before, at_once, alone = [await log.outputs() for _ in range(3)]
    end = int(time.time() * 1000) + 3_000
    for target in (A0, {"kind": "tool", "tool": "rm"}):
        await log.order("kill", payload(target=target, reason="for a while", expires_at=end))
    await log.order("quarantine", payload(target={**A0, "agent": "a1"}, reason="for good"))
    made = []
    async with log.working(before), log.following(before) as following:
        while not made or made[-1][1] < end + 300:
            fields = [{}, {"agent_id": "a2", "tool": "rm"}, {"agent_id": "a1"}, {"agent_id": "a3"}]
            sent = [control.sent(**some) for some in fields]
            await following.reach(await log.send([record for _, record in sent]))
            judged = await control.judged(before)
            made += [(event, judged[event]["received_at"]) for event, _ in sent]
    decisions = await control.judged(before)
    killed = [d for d in decisions.values() if d["agent_id"] in ("a0", "a2")]
    for decision in killed:
        assert (decision["effect"] == "deny") == (decision["received_at"] < end), decision
    assert {d["effect"] for d in killed} == {"allow", "deny"}
    assert {d["effect"] for d in decisions.values() if d["agent_id"] == "a1"} == {"deny"}
    assert {d["effect"] for d in decisions.values() if d["agent_id"] == "a3"} == {"allow"}

    ends = await log.ends(ACTIONS.name)
    await log.judge(alone, ends)
    async with log.working(at_once), log.working(at_once), log.following(at_once) as following:
        await following.reach(ends)
    one, two = await log.read(alone), await log.read(at_once)
    for p in range(log.partitions):
        assert one.fixed(p) == two.fixed(p)
    again = [decode(r.value, "decision") for records in one.decisions.values() for r in records]
    assert {d["event_id"]: d["effect"] for d in again} == {e: d["effect"] for e, d in decisions.items()}


async def test_an_order_that_is_not_believed_stops_nobody(control: Control) -> None:
    log = control.log
    prefix = await log.outputs()
    own, trusted = log.view.log_id, read_signing_key(log.keys / "author", CONTROL_ROLE)
    said = payload(target=A0, reason="forged")
    given = await control.json(
        "kill", "--tenant", "acme", "--agent", "a0", "--reason", "to copy", "--no-wait"
    )
    await control.run("release", given["order"], "--reason", "done", "--no-wait")
    copied = await control_record(control, given["control_offset"])
    unsigned = decode(sign_order(Order(own, "kill", "author", 91, said), trusted), "control_record")
    forged = [
        copied,
        sign_order(Order(own, "kill", "author", 92, said), SigningKey("author", b"f" * 32)),
        sign_order(Order(own, "kill", "another", 93, said), trusted),
        sign_order(Order("another-log", "kill", "author", 94, said), trusted),
        sign_order(Order(own, "release", "author", 95, payload(order=given["order"], reason="x")), trusted),
        sign_order(Order(own, "grant", "author", 96, said), trusted),
        encode("control_record", {**unsigned, "signature": bytes(64)}),
        encode("control_record", {**unsigned, "payload": said + b" "}),
    ]
    async with log.working(prefix), log.following(prefix) as following:
        async with AIOKafkaProducer(**log.options) as producer:
            for value in forged:
                sent = await producer.send_and_wait(CONTROL.name, value, partition=0)
        told: dict[str, Any] = {}
        while told.get("control_offset") != sent.offset:
            told = next(iter((await control.json("status", prefix=prefix))["workers"]), {})
        (decision,) = await control.judge(prefix, following, [{}])
    assert (decision["effect"], decision["control_offset"]) == ("allow", sent.offset)
    refused = [one["why"] for one in told["refused"][-len(forged) :]]
    expected = [
        f"a copy of the order at offset {given['control_offset']}",
        "none of the trusted control keys",
        "a kill by 'another' that 'author' signed",
        "an order for log 'another-log'",
        "no order that stands",
        "a grant order that says too little or too much: expires_at: Field required",
        "does not fit the record",
        "does not fit the record",
    ]
    for why, words in zip(refused, expected, strict=True):
        assert words in why
    rows = (await control.json("list", "--all"))[-len(forged) :]
    assert all(words in row["why_not"] for words, row in zip(expected, rows, strict=True))
    assert "control list --all" in await control.run("list")


async def control_record(control: Control, offset: int) -> bytes:
    tp = TopicPartition(CONTROL.name, 0)
    async for found in read_partition(control.log.options, tp, offset, offset + 1, "read_uncommitted"):
        return bytes(found[0].value)
    raise AssertionError(f"nothing at {offset}")


async def test_a_worker_is_killed_while_an_order_applies(control: Control, tmp_path: Path) -> None:
    """Each decision is denied from the order's offset on and not before; nothing is lost or repeated."""
    log = control.log
    prefix = await log.outputs()
    with Workers(log.bootstrap, log.keys, prefix, tmp_path) as workers:
        workers.start(2)
        async with log.following(prefix) as following:
            while len((await control.json("status", prefix=prefix))["workers"]) < 2:
                await asyncio.sleep(0.1)
            while len(following.progress) < log.partitions:
                await following.step()
            begun = following.total()
            sending = asyncio.create_task(steadily(control))
            while following.total() < begun + 100:
                await following.step()
            ordering = asyncio.create_task(
                control.json("kill", "--tenant", "tenant-1", "--reason", "now", "--no-wait", prefix=prefix)
            )
            workers.kill(0)
            at = (await ordering)["control_offset"]
            while not any(p.control_offset >= at for p in following.progress.values()):
                await following.step()
            workers.start()
            await following.reach(await sending)
        late = await control.run(
            "kill", "--tool", "x", "--reason", "r", "--timeout", "1", prefix=prefix, code=1
        )
        rows = (await control.json("status", prefix=prefix))["workers"]
        dead = min(rows, key=lambda row: row["control_offset"])
        assert f"not applied within 1 s by {dead['worker_id']}. The order stands" in late
    outputs = await log.read(prefix)
    assert not violations(await log.records(ACTIONS.name), outputs)
    decisions = [decode(r.value, "decision") for records in outputs.decisions.values() for r in records]
    mine = [d for d in decisions if d["tenant"] == "tenant-1" and d["reasons"][0]["rule"] != "misrouted"]
    for d in mine:
        assert (d["reasons"][0]["rule"] == "kill") == (d["control_offset"] >= at)
    assert {d["control_offset"] >= at for d in mine} == {True, False}
    assert all(d["reasons"][0]["policy"] != "control" for d in decisions if d["tenant"] != "tenant-1")


async def steadily(control: Control) -> dict[int, int]:
    """Some 400 actions, a few at a time; where they end."""
    ends: dict[int, int] = {}
    for n in range(40):
        ends = await control.log.send(fleet(n, 10, control.log.partitions))
        await asyncio.sleep(0.05)
    return ends


async def test_without_its_topic_a_worker_judges_and_says_so_once_it_is_there(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = control.log
    prefix = await log.outputs()
    topic = topic_name(WORKERS, prefix)
    admin = AIOKafkaAdminClient(**log.options)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
    monkeypatch.setattr(worker_report, "RETRY_SECONDS", 0.2)
    async with log.working(prefix), log.following(prefix) as following:
        (decision,) = await control.judge(prefix, following, [{}])
        assert decision["effect"] == "allow"
        told = await control.run("kill", "--tool", "x", "--reason", "r", prefix=prefix)
        assert f"the order stands; who has applied it is not known: topics are missing: {topic}" in told
        assert topic in await control.run("status", prefix=prefix, code=1)
        assert await create_topics(log.options, Wanted(log.partitions, prefix=prefix)) == [topic]
        while not (await control.json("status", prefix=prefix))["workers"]:
            await asyncio.sleep(0.1)
    assert (await control.json("status", prefix=prefix))["workers"] == []
