"""alert on a real broker: from records to what a receiver got, whatever is killed."""

import asyncio
import json
import time
from typing import Any

from consumers.alert.load import Alerting
from schemas.topics import UNDELIVERED
from sinks.named import named
from store.models import Acknowledgement, Silence
from store.seen import acknowledge
from store.silences import add_silence
from store.store import Store
from tests.alert.stage import QUICK_ROUTE, Alarmed, alerting
from tests.archive.helpers import until
from tests.delivery.receiver import Answer, Receiver


def hooked(receiver: Receiver, *routes: dict[str, Any], **more: Any) -> Alerting:
    known = routes or ({"name": "all", "receivers": ["hook"], **QUICK_ROUTE},)
    return alerting(*known, receivers={"hook": {"type": "webhook", "url": receiver.url}}, **more)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(post.body) for post in receiver.stored]


def actions(receiver: Receiver) -> list[str]:
    return [each["action"] for each in told(receiver)]


async def test_threats_of_all_partitions_are_one_notification_with_all_that_it_needs(
    alarmed: Alarmed, receiver: Receiver
) -> None:
    async with alarmed.alerting(hooked(receiver)):
        await alarmed.threaten([alarmed.threat(n, agent=f"a{n % 3}") for n in range(30)])
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 2)
    first, last = told(receiver)
    assert (first["action"], first["count"], first["severity"]) == ("trigger", 30, "high")
    assert sorted(first["agents"]) == ["a0", "a1", "a2"]
    assert first["causes"] == [{"cause": "burst", "title": "Found by burst", "severity": "high", "count": 30}]
    assert "5 actions were denied" in first["text"]
    assert len(first["evidence"]) == 10  # the newest, of three partitions: which is the last is chance
    assert first["done"]
    assert first["tags"] == ["ASI10"]
    assert (last["action"], last["group_id"]) == ("resolve", first["group_id"])
    for query in first["queries"]:
        name, *words = query.removeprefix("praetor query --named ").split()
        assert {word.partition("=")[0] for word in words} >= set(named(name).needed), query


async def test_an_incident_from_its_opening_to_its_end(alarmed: Alarmed, receiver: Receiver) -> None:
    async with alarmed.alerting(hooked(receiver)):
        for count, fields in enumerate(
            (
                {},
                {"severity": "critical", "change": "escalated"},
                {"severity": "critical", "status": "acknowledged"},
                {"severity": "critical", "status": "resolved", "resolved_by": "alice"},
            )
        ):
            await alarmed.happen(**fields)
            await until(lambda: asyncio.sleep(0, len(receiver.stored)), count + 1)
    assert actions(receiver) == ["trigger", "update", "acknowledge", "resolve"]
    assert {each["group_id"] for each in told(receiver)} == {"inc-1"}
    assert "praetor incident show inc-1" in told(receiver)[0]["queries"]
    assert told(receiver)[-1]["by"] == "alice"


async def test_silences_and_acknowledgements_of_the_store_count(alarmed: Alarmed, receiver: Receiver) -> None:
    store, now = Store(alarmed.url), round(time.time() * 1000)
    store.open()
    with store.changing("alice") as session:
        scope = {"detector": ["noisy-*"]}
        add_silence(session, Silence(scope=scope, starts=now, ends=now + 600_000, made_by="a", made_at=now))
    async with alarmed.alerting(hooked(receiver)):
        await alarmed.threaten([alarmed.threat(1, "noisy-one")])
        await alarmed.happen()
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 1)
        with store.changing("bob") as session:
            acknowledge(session, Acknowledgement(subject="inc-1", made_by="bob", made_at=now))
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 2)
    store.close()
    assert [(each["action"], each["kind"]) for each in told(receiver)] == [
        ("trigger", "incident"),
        ("acknowledge", "incident"),
    ]
    assert told(receiver)[1]["by"] == "bob"


async def test_a_restart_tells_nothing_twice_and_goes_on(alarmed: Alarmed, receiver: Receiver) -> None:
    found = hooked(receiver)
    async with alarmed.alerting(found):
        await alarmed.happen()
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 1)
    await alarmed.happen(severity="critical")  # nobody is there to see it
    async with alarmed.alerting(found):
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 2)
    assert actions(receiver) == ["trigger", "update"]


async def test_a_dead_receiver_delays_no_other_and_what_one_refuses_is_kept(
    alarmed: Alarmed, receiver: Receiver
) -> None:
    receivers = {
        "hook": {"type": "webhook", "url": receiver.url},
        "dead": {"type": "webhook", "url": "http://127.0.0.1:9/in"},
        "picky": {"type": "webhook", "url": receiver.url.replace("/in", "/picky")},
    }
    known = alerting({"name": "all", "receivers": [*receivers], **QUICK_ROUTE}, receivers=receivers)
    receiver.judge = lambda body: Answer(422, body="no") if b'"receiver":"picky"' in body else Answer()
    object.__setattr__(known.receivers["picky"].document.limits, "tries", 1)
    async with alarmed.alerting(known):
        await alarmed.happen()
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 1)

        async def kept() -> int:
            return len(await alarmed.read(UNDELIVERED, "undelivered"))

        await until(kept, 1)


async def test_a_flood_is_few_notifications_that_count_all(alarmed: Alarmed, receiver: Receiver) -> None:
    found = hooked(receiver, {"name": "all", "receivers": ["hook"], "wait": 1, "interval": 30, "quiet": 600})
    async with alarmed.alerting(found):
        for start in range(0, 6000, 2000):
            records = [alarmed.threat(start + n, f"d{n % 20}", f"a{n % 50}") for n in range(2000)]
            await alarmed.threaten(records)
        await until(lambda: asyncio.sleep(0, len(receiver.stored)), 20)
    assert set(actions(receiver)) == {"trigger"}
    assert len(await alarmed.notifications()) == 20
