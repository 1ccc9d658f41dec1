"""Forged records on agent.control, while a worker judges: none changes anything, and it goes on."""

import asyncio
from random import Random

from aiokafka import AIOKafkaProducer

from ledger.keys import SigningKey
from policies.bundle import pack_bundle
from schemas.codec import decode, encode
from schemas.topics import CONTROL
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import read_signing_key
from streams.orders import Order, sign_order
from tests.hostile.wire import compressed, record, send_batch
from tests.streams.fleet import action, routed
from tests.streams.helpers import Log, bundle
from tests.streams.reading import read_topics

RNG = Random(5)
READ = routed(action(RNG), 3)
WORSE = pack_bundle(bundle("forged", "nothing:*"))
FOREIGN = SigningKey("foreign", b"f" * 32)
BOMB = 100


def forgeries(log: Log, copied: bytes) -> list[bytes | None]:
    """Records that would deny everything, or stop it, if they were believed."""
    own = log.view.log_id
    trusted = read_signing_key(log.keys / "author", CONTROL_ROLE)
    namesake = SigningKey(trusted.name, b"g" * 32)
    unsigned = decode(sign_order(Order(own, "bundle", "eve", 1, WORSE), trusted), "control_record")
    flipped = bytearray(sign_order(Order(own, "bundle", "eve", 2, WORSE), trusted))
    flipped[len(flipped) // 2] ^= 1
    return [
        None,
        b"",
        b"garbage",
        RNG.randbytes(5_000),
        bytes(flipped),
        copied,
        encode("control_record", {**unsigned, "signature": b""}),
        encode("control_record", {**unsigned, "signature": bytes(64)}),
        encode("control_record", {**unsigned, "author": "mallory"}),
        sign_order(Order(own, "bundle", "eve", 3, WORSE), FOREIGN),
        sign_order(Order(own, "bundle", "eve", 4, WORSE), namesake),
        sign_order(Order("another-log", "bundle", "author", 5, WORSE), trusted),
        sign_order(Order("another-log", "skip", "author", 6, b'{"partition":0,"from":0,"to":9}'), trusted),
        sign_order(
            Order("another-log", "log", "author", 7, b'{"log_id":"another-log","partitions":9}'), trusted
        ),
        sign_order(Order(own, "skip", "eve", 8, b'{"partition":0,"from":0,"to":1000}'), FOREIGN),
        sign_order(Order(own, "skip", "author", 9, b'{"partition":99,"from":0,"to":9}'), trusted),
        sign_order(Order(own, "skip", "author", 10, b"[" * 100_000), trusted),
        sign_order(Order(own, "skip", "author", 11, b'{"partition":0,"from":9,"to":3}'), trusted),
        READ.value,
    ]


async def test_none_of_them_is_believed_and_nobody_stops(log: Log) -> None:
    prefix = await log.outputs()
    at = await log.publish(bundle("before"))
    control = (await read_topics(log.options, [CONTROL.name], 1))[CONTROL.name][0]
    (copied,) = [record.value for record in control if record.offset == at]
    async with log.working(prefix) as worker, log.following(prefix) as following:
        await following.reach(await log.send([READ]))
        rejected = worker._control.view.rejected
        forged = forgeries(log, copied)
        async with AIOKafkaProducer(**log.options) as producer:
            for value in forged:
                await producer.send_and_wait(CONTROL.name, value, key=b"k", partition=0)
        bomb = compressed("zstd", [record(n, bytes(1 << 20)) for n in range(BOMB)])
        await send_batch(log.options, CONTROL.name, 0, bomb)
        newest = await log.publish(bundle("after"))
        while worker._control.view.offset < newest:
            await asyncio.sleep(0.02)
        assert worker._control.view.rejected - rejected == len(forged) + BOMB
        assert worker._control.view.skips == {}
        await following.reach(await log.send([READ]))
    outputs = await log.read(prefix)
    decisions = [decode(r.value, "decision") for r in outputs.decisions[READ.partition]]
    assert [d["effect"] for d in decisions] == ["allow", "allow"]
    assert [d["bundle"] for d in decisions] == [bundle("before").digest, bundle("after").digest]
