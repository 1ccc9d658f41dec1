"""Batches that inflate, or cannot be read though the broker took them: each record has its one end."""

import asyncio
import resource
from random import Random
from typing import Any

import cramjam
import pytest
from aiokafka.errors import KafkaError

from runtime.inflation import MAX_INFLATED_BYTES, inflates_within
from schemas.codec import decode
from schemas.topics import ACTIONS
from tests.hostile.wire import CODECS, batch, compressed, record, send_batch
from tests.streams.exactly_once import violations
from tests.streams.fleet import action, routed
from tests.streams.helpers import Log
from tests.streams.reading import Outputs

GOOD = routed(action(Random(1)), 3)
MIB = 1 << 20
BOMB = 200


async def judged(log: Log, batches: list[bytes]) -> Outputs:
    """These batches in one partition, a good action before and behind them."""
    prefix = await log.outputs()
    await log.send([GOOD])
    for raw in batches:
        await send_batch(log.options, ACTIONS.name, GOOD.partition, raw)
    outputs = await log.judge(prefix, await log.send([GOOD]))
    assert len(outputs.decisions[GOOD.partition]) == 2
    return outputs


def letters(outputs: Outputs) -> list[dict[str, Any]]:
    return [decode(r.value, "dead_letter") for r in outputs.dead_letters[GOOD.partition]]


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
async def test_a_batch_that_inflates_too_far_is_never_inflated(log: Log, codec: str) -> None:
    raw = compressed(codec, [record(n, bytes(MIB)) for n in range(BOMB)])
    assert len(raw) < MIB
    before = peak()
    outputs = await judged(log, [raw, raw])
    # the mutation itself inflated it once; judging it must not again
    assert peak() - before < 2 * MAX_INFLATED_BYTES
    found = letters(outputs)
    assert [x["source_offset"] - found[0]["source_offset"] for x in found] == list(range(2 * BOMB))
    assert {(x["stage"], x["error_class"], x["value"], x["value_bytes"]) for x in found} == {
        ("batch", "Unreadable", None, -1)
    }
    assert f"a batch of {BOMB} records from offset" in found[0]["message"]
    assert f"inflates to more than {MAX_INFLATED_BYTES} bytes" in found[0]["message"]


async def test_a_storm_of_batches_that_just_may_inflate_is_read_a_little_at_a_time(log: Log) -> None:
    raw = compressed("zstd", [record(n, b"x" * (MIB - 9)) for n in range(20)])
    before = peak()
    outputs = await judged(log, [raw] * 6)
    found = letters(outputs)
    assert len(found) == 120
    assert {(x["stage"], len(x["value"])) for x in found} == {("decode", MIB - 9)}
    assert not violations(await log.records(ACTIONS.name), outputs)
    assert peak() - before < 1 << 30


@pytest.mark.parametrize("codec", CODECS)
async def test_bytes_that_do_not_decompress_have_their_ends_too(log: Log, codec: str) -> None:
    """Where the broker takes them at all; it looks into most of them."""
    raw = compressed(codec, [record(n, GOOD.value, GOOD.key) for n in range(3)])
    squeezed = raw[61:]
    taken = 0
    await log.clear()
    prefix = await log.outputs()
    for broken in (squeezed[:-4], squeezed + b"\x00" * 9, squeezed + squeezed, b"garbage" * 9, b""):
        try:
            await send_batch(log.options, ACTIONS.name, GOOD.partition, batch(broken, 3, CODECS[codec]))
            taken += 3
        except KafkaError:
            continue
    ends = await log.send([GOOD])
    async with asyncio.timeout(60):
        outputs = await log.judge(prefix, ends)
    ended = len(letters(outputs)) + len(outputs.decisions[GOOD.partition])
    assert ended == taken + 1


def test_the_bound_is_exact_and_garbage_does_not_pass_it() -> None:
    for module, codec in ((cramjam.gzip, 1), (cramjam.lz4, 3), (cramjam.zstd, 4)):
        assert inflates_within(codec, bytes(module.compress(bytes(MAX_INFLATED_BYTES))))
        assert not inflates_within(codec, bytes(module.compress(bytes(MAX_INFLATED_BYTES + 1))))
        assert not inflates_within(codec, Random(1).randbytes(MIB))
