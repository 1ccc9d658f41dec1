"""forward on a real broker: everything arrives, in order, wherever a destination or a process dies."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from consumers.forward import Forward
from schemas.topics import DECISIONS, DELIVERIES, UNDELIVERED, topic_name
from sinks.destination import Destination
from tests.delivery.receiver import Answer, Receiver
from tests.delivery.stage import Delivering, destination, in_order, run, until


def hook(receiver: Receiver, name: str = "hook", **more: Any) -> Destination:
    return destination(name, {"type": "webhook", "url": receiver.url}, **more)


def ids(receiver: Receiver) -> list[str]:
    return [event["id"] for event in receiver.events()]


async def arrived(receiver: Receiver) -> int:
    return len(set(ids(receiver)))


def told_of(forward: Forward, name: str) -> dict[str, Any]:
    """What the health endpoint says of a destination; nothing before it is there."""
    found: dict[str, Any] = forward._health.ready()[1]["checks"].get(f"destination {name}", {})
    return found


async def test_everything_arrives_in_order_and_a_restart_goes_on(
    delivering: Delivering, receiver: Receiver
) -> None:
    await delivering.decide(50)
    async with delivering.forwarding(hook(receiver)):
        await until(lambda: arrived(receiver), 150)
    await delivering.decide(20, 50)
    async with delivering.forwarding(hook(receiver)):
        await until(lambda: arrived(receiver), 210)
    assert set(ids(receiver)) == delivering.every(70)
    assert in_order(ids(receiver))
    assert len(ids(receiver)) == 210  # stopped in good order: nothing twice


async def test_receipts_add_up(delivering: Delivering, receiver: Receiver) -> None:
    await delivering.decide(30, effect="deny")
    await delivering.decide(10, 30, effect="allow")
    async with delivering.forwarding(hook(receiver, feed={"effects": ["deny"]})):
        await until(lambda: arrived(receiver), 90)

        async def through() -> int:
            receipts = await delivering.read(DELIVERIES, "delivery")
            return sum(r["events"] + r["filtered"] + r["kept_aside"] for r in receipts)

        await until(through, 120)
    receipts = await delivering.read(DELIVERIES, "delivery")
    assert sum(r["events"] for r in receipts) == 90
    assert sum(r["filtered"] for r in receipts) == 30


async def test_a_dead_destination_delays_only_itself(
    delivering: Delivering, receiver: Receiver, tmp_path: Path
) -> None:
    dead = destination("dead", {"type": "webhook", "url": "http://127.0.0.1:9/in"})
    file = destination("file", {"type": "file", "path": str(tmp_path / "out.jsonl")})
    await delivering.decide(40)
    async with delivering.forwarding(dead, hook(receiver), file) as forward:
        await until(lambda: arrived(receiver), 120)

        async def lines() -> int:
            path = tmp_path / "out.jsonl"
            return len(path.read_text().splitlines()) if path.exists() else 0

        await until(lines, 120)
        ready, told = forward._health.ready()
        assert ready  # a restart of ours would not bring it back
        delivers = {name: check["delivers"] for name, check in told["checks"].items()}
        assert delivers == {"destination dead": False, "destination hook": True, "destination file": True}


async def test_what_is_refused_is_kept_with_the_answer(delivering: Delivering, receiver: Receiver) -> None:
    poison = f'"{delivering.log_id}/1/7"'.encode()
    receiver.judge = lambda body: Answer(400, body="no such field") if poison in body else Answer()
    quick = hook(receiver, limits={"tries": 2})
    await delivering.decide(20)
    async with delivering.forwarding(quick):
        await until(lambda: arrived(receiver), 59)

        async def kept() -> int:
            return len(await delivering.read(UNDELIVERED, "undelivered"))

        await until(kept, 1)
    (record,) = await delivering.read(UNDELIVERED, "undelivered")
    assert (record["id"], record["state"], record["tries"]) == (f"{delivering.log_id}/1/7", "kept", 2)
    assert "400" in record["reason"]
    assert "no such field" in record["reason"]
    assert record["value"]


async def test_two_processes_share_the_partitions(delivering: Delivering, receiver: Receiver) -> None:
    await delivering.decide(30)
    async with delivering.forwarding(hook(receiver)):
        await until(lambda: arrived(receiver), 90)
        async with delivering.forwarding(hook(receiver)):
            await asyncio.sleep(1)
            await delivering.decide(30, 30)
            await until(lambda: arrived(receiver), 180)
        await delivering.decide(30, 60)
        await until(lambda: arrived(receiver), 270)
    assert set(ids(receiver)) == delivering.every(90)


async def test_latest_begins_at_the_end_and_stays_there(delivering: Delivering, receiver: Receiver) -> None:
    await delivering.decide(10)
    late = hook(receiver, feed={"start": "latest"})
    async with delivering.forwarding(late) as forward:

        async def ready() -> bool:
            return bool(forward._health.watches) and all(
                w.doing == "reading" for w in forward._health.watches.values()
            )

        await until(ready, True)
        await asyncio.sleep(1)
    await delivering.decide(10, 10)  # nobody is there to see them come
    async with delivering.forwarding(late):
        await until(lambda: arrived(receiver), 30)
    assert set(ids(receiver)) == delivering.every(10, 10)


async def test_what_retention_removed_is_told_and_passed_over_when_a_person_says_so(
    delivering: Delivering, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await delivering.decide(10)
    async with delivering.forwarding(hook(receiver)):
        await until(lambda: arrived(receiver), 30)
    await delivering.decide(10, 10)
    async with delivering.admin() as admin:
        tp = TopicPartition(topic_name(DECISIONS, delivering.prefix), 0)
        await admin.delete_records({tp: RecordsToDelete(-1)})
    delivering.command(monkeypatch, tmp_path, hook(receiver))
    monkeypatch.setattr("consumers.delivery.delivery.PERSON_SECONDS", 0.5)
    async with delivering.forwarding(hook(receiver)) as forward:

        async def lost() -> bool:
            return 10 <= told_of(forward, "hook").get("lost", -1) <= 12  # markers are among them

        await until(lost, True)
        assert await arrived(receiver) == 30
        told = await run("deliveries", "skip", "hook", "--dry-run", "--json")
        (gap,) = json.loads(told.stdout.splitlines()[-1])  # forward, in this process, logs there too
        assert (gap["first"], gap["ordered"]) == (10, False)
        assert "goes on without offsets 10 to 2" in (await run("deliveries", "skip", "hook")).stdout
        await delivering.decide(5, 20)
        await until(lambda: arrived(receiver), 65)
        assert told_of(forward, "hook")["lost"] == 0
    assert set(ids(receiver)) == delivering.every(25) - {f"{delivering.log_id}/0/{n}" for n in range(10, 20)}
    assert sum(r["skipped"] for r in await delivering.read(DELIVERIES, "delivery")) == gap["count"]
    assert "nothing is gone" in (await run("deliveries", "skip", "hook")).stdout


async def test_lag_and_age_are_told_while_a_destination_is_away(delivering: Delivering) -> None:
    await delivering.decide(20)
    dead = destination("dead", {"type": "webhook", "url": "http://127.0.0.1:9/in"}, limits={"batch": 5})
    async with delivering.forwarding(dead) as forward:

        async def behind() -> bool:
            return 60 <= told_of(forward, "dead").get("lag", -1) <= 66  # markers count

        await until(behind, True)
        before = told_of(forward, "dead")["oldest_seconds"]
        assert before > 0

        async def older() -> bool:
            return bool(told_of(forward, "dead")["oldest_seconds"] > before + 1)

        await until(older, True)


async def test_nothing_waits_where_only_markers_are_left(delivering: Delivering, receiver: Receiver) -> None:
    await delivering.decide(20)
    async with delivering.forwarding(hook(receiver)) as forward:
        await until(lambda: arrived(receiver), 60)

        async def waiting() -> tuple[int, float]:
            told = told_of(forward, "hook")
            return told["lag"], told["oldest_seconds"]

        await until(waiting, (0, 0.0))
