"""Bundles as workers take them, on a real broker: large ones, canaries, what is refused meanwhile."""

import asyncio
import zlib
from dataclasses import replace
from itertools import count
from pathlib import Path

from aiokafka import AIOKafkaProducer

from ledger.keys import SigningKey
from policies.bundle import Bundle, pack_bundle
from policies.canonical import canonical
from schemas.codec import decode
from schemas.keys import agent_key
from schemas.topics import ACTIONS, CONTROL
from streams.bundle_orders import PART_BYTES, Head, head_payload, part_payloads
from streams.bundle_signature import sign_digest
from streams.canary import place
from streams.control import ControlFollower
from streams.govern import Worker
from streams.keyring import read_signing_key, read_verify_keys
from streams.orders import Order, sign_order
from streams.topics import publish_orders
from tests.bundles.commands import Person, control_records, rejudged
from tests.bundles.making import STRANGER, broken, later, many_rules
from tests.streams.fleet import fleet
from tests.streams.reading import Outputs

STAMPS = count(1_000_000)


def decisions(outputs: Outputs) -> list[dict[str, object]]:
    return [decode(r.value, "decision") for records in outputs.decisions.values() for r in records]


async def applied(worker: Worker, offset: int) -> None:
    while worker._control.view.offset < offset:
        await asyncio.sleep(0.02)


class Author:
    """Gives orders about bundles by hand, with the log's own control key, whatever they say."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.key = read_signing_key(person.keys, "control")

    def order(self, kind: str, payload: bytes) -> Order:
        return Order(self.person.log.view.log_id, kind, self.key.name, next(STAMPS), payload)

    def parts(self, bundle: Bundle) -> list[Order]:
        return [self.order("bundle_part", p) for p in part_payloads(bundle.digest, pack_bundle(bundle))]

    def head(self, bundle: Bundle, serial: int, signer: SigningKey | None = None, **changed: object) -> Order:
        note = sign_digest(bundle.digest, signer or self.key)
        size = len(pack_bundle(bundle))
        head = Head(serial, bundle.digest, parts=len(self.parts(bundle)), size=size, signature=note)
        return self.order("bundle", head_payload(replace(head, **changed)))  # type: ignore[arg-type]

    async def give(self, *orders: Order) -> int:
        return await publish_orders(self.person.log.options, orders, self.key)


async def test_a_bundle_larger_than_a_message_comes_in_parts(person: Person, tmp_path: Path) -> None:
    log, wide = person.log, many_rules(7, 10_000, text=300)
    assert len(pack_bundle(wide)) > 1 << 20
    prefix = await log.outputs()
    async with log.working(prefix) as worker, log.following(prefix) as following:
        person.environment["PRAETOR_TOPIC_PREFIX"] = prefix
        published = await person.publish(tmp_path, wide)
        assert published["serial"] == 1
        assert len(published["applied_after_ms"]) == 1 and not published["not_applied"]
        assert worker._control.view.rules.digest == wide.digest
        (told,) = (await person.types("active", "--json")).json()["workers"]
        assert (told["digest"], told["since_offset"]) == (wide.digest, published["control_offset"])
        sizes = [len(r.value) for r in (await control_records(log))[-3:]]
        assert PART_BYTES < max(sizes) < 1_000_000
        await following.reach(await log.send(fleet(1, 300, log.partitions)))
    outputs = await log.read(prefix)
    assert {d["bundle"] for d in decisions(outputs)} == {wide.digest}
    assert {"allow", "deny"} == {d["effect"] for d in decisions(outputs)}
    # one that starts later has it from the topic alone
    follower = ControlFollower(log.options, read_verify_keys(log.keys, "control"))
    await follower.start()
    await follower.stop()
    assert follower.view.rules.digest == wide.digest


async def test_what_is_wrong_with_a_bundle_is_refused_while_actions_flow(person: Person) -> None:
    log, author = person.log, Author(person)
    good, other, wide = many_rules(1, 20), many_rules(2, 20), many_rules(3, 8_000, text=300)
    spoilt = author.parts(wide)
    spoilt[0] = replace(spoilt[0], payload=spoilt[0].payload[:-9] + b"somewrong")
    tampered = bytearray(sign_order(author.parts(other)[0], author.key))
    tampered[len(tampered) // 2] ^= 1
    wrong = {
        "a stranger's signature": [*author.parts(other), author.head(other, 2, STRANGER)],
        "no signature": [*author.parts(other), author.head(other, 3, signature="")],
        "a missing part": [*author.parts(wide)[1:], author.head(wide, 4)],
        "a part of other bytes": [*spoilt, author.head(wide, 5)],
        "a stale serial": [*author.parts(other), author.head(other, 1)],
        "no bundle": [*author.parts(broken(5)), author.head(broken(5), 6)],
        "an order of old": [author.order("bundle", pack_bundle(other))],
        "another digest": [author.head(many_rules(9, 1), 7, parts=0, size=0)],
        "garbage": [author.order("bundle", b"{"), author.order("bundle_part", b"no part")],
    }
    prefix = await log.outputs()
    start = await log.ends(ACTIONS.name)
    async with log.working(prefix) as worker, log.following(prefix) as following:
        first = await author.give(*author.parts(good), author.head(good, 1))
        await applied(worker, first)
        copied = [r.value for r in await control_records(log)][-2:]
        for seed, orders in enumerate(wrong.values()):
            at = await author.give(*orders)
            await applied(worker, at)
            await following.reach(await log.send(fleet(seed, 60, log.partitions)))
            assert worker._control.view.rules.digest == good.digest
        async with AIOKafkaProducer(**log.options) as producer:
            for value in (*copied, bytes(tampered)):
                sent = await producer.send_and_wait(CONTROL.name, value, partition=0)
        at = await author.give(author.head(other, 8))  # its part came before, and is remembered
        await applied(worker, max(at, sent.offset))
        assert worker._control.view.rules.digest == other.digest
        await following.reach(await log.send(fleet(99, 60, log.partitions)))
        assert worker._control.view.bundles.refusals == {
            "signature": 2,
            "parts": 2,
            "serial": 2,
            "rules": 1,
            "unknown": 1,
            "malformed": 1,
        }
    told = (await person.types("active", "--json")).json()
    assert [r["why"] for r in told["refused"]][:3] == ["signature", "signature", "parts"]
    assert told["digest"] == other.digest
    text = (await person.types("active")).out
    assert "refused at offset" in text and "parts 1 did not come before the head" in text
    assert await rejudged(log, await log.read(prefix), start) == 60 * (len(wrong) + 1)


async def test_a_bundle_of_a_newer_language_stops_judging_until_another_comes(person: Person) -> None:
    log, author, prefix = person.log, Author(person), await person.log.outputs()
    strange = canonical({"serial": 2, "slot": "stable", "new": 1})
    for serial, orders in (
        (1, [*author.parts(later(1)), author.head(later(1), 1)]),
        (3, [author.order("bundle", zlib.compress(strange))]),
    ):
        async with log.working(prefix) as worker, log.following(prefix) as following:
            await applied(worker, await author.give(*orders))
            ends = await log.send(fleet(serial, 30, log.partitions))
            active = await person.types("active")
            assert active.code == 1 and "cannot be read, so nothing is judged" in active.err
            await asyncio.sleep(0.5)  # a worker that judged all the same would have by now
            await following.step()
            assert not following.reached(ends)
            await author.give(
                *author.parts(many_rules(serial, 1)), author.head(many_rules(serial, 1), serial + 1)
            )
            await following.reach(ends)


async def test_a_canary_judges_its_share_of_the_agents_until_it_is_promoted(
    person: Person, tmp_path: Path
) -> None:
    log, stable, trial = person.log, many_rules(1, 10), many_rules(2, 10)
    prefix, start = await log.outputs(), await log.ends(ACTIONS.name)
    async with log.working(prefix) as worker, log.following(prefix) as following:
        await person.publish(tmp_path, stable)
        canary = await person.publish(tmp_path, trial, "--canary", "30")
        assert (canary["slot"], canary["share"], canary["serial"]) == ("canary", 30, 2)
        await applied(worker, canary["control_offset"])
        await following.reach(await log.send(fleet(1, 1_500, log.partitions, agents=400)))
        told = (await person.types("active", "--json")).json()
        assert (told["stable"]["digest"], told["canary"]["digest"]) == (stable.digest, trial.digest)
        wider = await person.publish(tmp_path, trial, "--canary", "60.5")
        await applied(worker, wider["control_offset"])
        await following.reach(await log.send(fleet(2, 1_500, log.partitions, agents=400)))
        ended = (await person.types("rollback", "--canary", "--json")).json()
        await applied(worker, ended["control_offset"])
        await following.reach(await log.send(fleet(3, 300, log.partitions, agents=400)))
        assert (await person.types("promote")).code == 1
        again = await person.publish(tmp_path, trial, "--canary", "5")
        promoted = (await person.types("promote", "--json")).json()
        assert (promoted["digest"], promoted["serial"]) == (trial.digest, again["serial"] + 1)
        await applied(worker, promoted["control_offset"])
        await following.reach(await log.send(fleet(4, 300, log.partitions, agents=400)))
    outputs = await log.read(prefix)
    judged: dict[int, dict[str, set[bytes]]] = {}
    for d in decisions(outputs):
        by = judged.setdefault(int(str(d["control_offset"])), {})
        by.setdefault(str(d["bundle"]), set()).add(agent_key(str(d["tenant"]), str(d["agent_id"])))
    narrow, wide = judged[canary["control_offset"]], judged[wider["control_offset"]]
    for by, share in ((narrow, 30), (wide, 60.5)):
        assert all(place(agent) < share * 100 for agent in by[trial.digest])
        assert all(place(agent) >= share * 100 for agent in by[stable.digest])
        total = len(by[trial.digest] | by[stable.digest])
        assert abs(len(by[trial.digest]) / total - share / 100) < 0.08
    assert not narrow[trial.digest] & wide[stable.digest]
    assert set(judged[ended["control_offset"]]) == {stable.digest}
    assert set(judged[promoted["control_offset"]]) == {trial.digest}
    assert await rejudged(log, outputs, start) == 3_600
