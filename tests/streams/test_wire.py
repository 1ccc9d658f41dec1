"""Batches that no ordinary client sends: header names that are no text, a little that becomes a lot."""

from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from schemas.codec import decode
from schemas.topics import ACTIONS
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, action, routed
from tests.streams.helpers import Log

PARTITIONS = 3
GOOD = routed(action(Random(1)), PARTITIONS)
CRC_AT, CRC_FROM = 17, 21


async def send_patched(log: Log, sent: Sent, old: bytes, new: bytes) -> None:
    """Send a batch of one record in which some bytes are others, under a checksum that fits."""
    producer = AIOKafkaProducer(**log.options)
    await producer.start()
    try:
        batch = producer.create_batch()
        batch.append(timestamp=None, key=sent.key, value=sent.value, headers=sent.headers)
        batch.close()
        raw = bytearray(batch._build())
        assert raw.count(old) == 1
        raw = raw.replace(old, new)
        raw[CRC_AT:CRC_FROM] = calc_crc32c(bytes(raw[CRC_FROM:])).to_bytes(4, "big")
        batch._buffer = raw
        await (await producer.send_batch(batch, ACTIONS.name, partition=sent.partition))
    finally:
        await producer.stop()


async def only_end(log: Log, prefix: str) -> tuple[str, dict[str, Any]]:
    """The one output of the one action."""
    outputs = await log.judge(prefix, await log.ends(ACTIONS.name))
    assert not violations(await log.records(ACTIONS.name), outputs)
    p = GOOD.partition
    kind = "decision" if outputs.decisions[p] else "dead_letter"
    (record,) = outputs.decisions[p] or outputs.dead_letters[p]
    return kind, decode(record.value, kind)


async def test_a_header_whose_name_is_no_text_stops_nobody(log: Log) -> None:
    prefix = await log.outputs()
    await send_patched(log, GOOD._replace(headers=[("NAME", b"value")]), b"NAME", b"\xff\xfe\xfd\xfc")
    assert (await only_end(log, prefix))[0] == "decision"


async def test_a_dead_letter_keeps_some_of_very_many_headers(log: Log) -> None:
    prefix = await log.outputs()
    await log.send([GOOD._replace(value=b"bad", headers=[("", b"")] * 300_000)], compression="gzip")
    kind, letter = await only_end(log, prefix)
    assert kind == "dead_letter"
    assert 0 < len(letter["headers"]) <= 10_000


async def test_a_small_batch_that_inflates_is_a_dead_letter(log: Log) -> None:
    prefix = await log.outputs()
    await log.send([GOOD._replace(value=bytes(5 << 20))], compression="gzip")
    kind, letter = await only_end(log, prefix)
    assert (kind, letter["stage"], letter["value_bytes"]) == ("dead_letter", "size", 5 << 20)
