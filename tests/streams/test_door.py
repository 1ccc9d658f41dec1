"""What comes in at govern's door, however bad: one clear end for it, and none of it harms another."""

import asyncio
import struct
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from detections.activity import CELL, read_activity
from schemas.codec import decode
from schemas.keys import agent_key, partition_of
from streams.cells import cell_key
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, action, framed, routed
from tests.streams.helpers import Log
from tests.streams.reading import Outputs

RNG = Random(1)
PARTITIONS = 3
MIB = 1 << 20
HOME = partition_of(agent_key("acme", "agent-1"), PARTITIONS)
AWAY = (HOME + 1) % PARTITIONS
VICTIM = routed(action(RNG, "victim"), PARTITIONS)
GOOD = routed(action(RNG), PARTITIONS)


def value(raw: bytes | None) -> Sent:
    return GOOD._replace(value=raw)


def of_size(total: int) -> Sent:
    """A right action with a value of so many bytes."""
    empty = routed(action(RNG, content=""), PARTITIONS)
    return routed(action(RNG, content="x" * (total - len(empty.value or b"") - 2)), PARTITIONS)


def misrouted(key: bytes | None, partition: int) -> Sent:
    return Sent(partition, key, framed(action(RNG, "victim")))


MALFORMED = {
    "null": (value(None), "null"),
    "empty": (value(b""), "0 bytes"),
    "garbage": (value(b"garbage"), "no Confluent wire format"),
    "unknown schema": (value(b"\x00\x00\x00\x27\x0f" + (GOOD.value or b"")[5:]), "schema id 9999"),
    "another schema": (value(b"\x00\x00\x00\x01\xf5" + (GOOD.value or b"")[5:]), "schema id 501"),
    "truncated": (value((GOOD.value or b"")[:-3]), "bytes wanted"),
    "trailing": (value((GOOD.value or b"") + b"\x00"), "after the record's end"),
    "not a UUID": (value(framed(action(RNG, event_id="no-uuid"))), "event_id"),
    "null and no key": (Sent(HOME, None, None), "null"),
    "too large": (of_size(MIB + 1), "a value of 1048577 bytes; 1048576 are allowed"),
    "large garbage": (value(b"\xff" * MIB), "no Confluent wire format"),
}
MISROUTED = {
    "no key": misrouted(None, VICTIM.partition),
    "empty key": misrouted(b"", VICTIM.partition),
    "key of another": misrouted(GOOD.key, VICTIM.partition),
    "wrong partition": misrouted(VICTIM.key, (VICTIM.partition + 1) % PARTITIONS),
    "empty key, wrong partition": misrouted(b"", (VICTIM.partition + 1) % PARTITIONS),
    "no key, wrong partition": misrouted(None, (VICTIM.partition + 1) % PARTITIONS),
    "key of the progress": misrouted(b"\x00progress", (VICTIM.partition + 1) % PARTITIONS),
    "large key": misrouted(b"k" * (MIB - 4096), VICTIM.partition),
}
ODD = {
    "ordinary": GOOD,
    "exactly the limit": of_size(MIB),
    "empty names": routed(action(RNG, "", tenant="", action="", resource=""), PARTITIONS),
    "zero bytes and slashes": routed(action(RNG, "a\x00b/c%", tenant="/\x00"), PARTITIONS),
    "long name": routed(action(RNG, "/" * 200_000), PARTITIONS),
    "extremes": routed(
        action(RNG, occurred_at=-(1 << 63), input_tokens=(1 << 63) - 1, cost_usd=float("inf")), PARTITIONS
    ),
    "in the year 9999": routed(action(RNG, occurred_at=253_402_300_799_000_000), PARTITIONS),
}


@dataclass
class Judged:
    """What came of the cases: the offset of each, and the outputs."""

    places: dict[str, tuple[int, int]]
    source: dict[int, list[Any]]
    outputs: Outputs
    cells: dict[bytes, bytes | None]

    def dead_letter(self, name: str) -> dict[str, Any]:
        return self._only(self.outputs.dead_letters, name, "dead_letter")

    def decision(self, name: str) -> dict[str, Any]:
        return self._only(self.outputs.decisions, name, "decision")

    def _only(self, records: dict[int, list[Any]], name: str, schema: str) -> dict[str, Any]:
        partition, offset = self.places[name]
        decoded = [decode(r.value, schema) for r in records[partition]]
        (found,) = [d for d in decoded if d["source_offset"] == offset]
        return found


async def judge_all(log: Log) -> Judged:
    await log.clear()
    prefix = await log.outputs()
    cases = {"victim": VICTIM, **{n: sent for n, (sent, _) in MALFORMED.items()}, **MISROUTED, **ODD}
    ends = await log.ends("agent.actions")
    places = {}
    for name, sent in cases.items():
        places[name] = (sent.partition, ends[sent.partition])
        ends[sent.partition] += 1
    assert await log.send(cases.values()) == ends
    outputs = await log.judge(prefix, ends)
    cells = {r.key: r.value for p in range(PARTITIONS) for r in outputs.state[p]}
    return Judged(places, await log.records("agent.actions"), outputs, cells)


@pytest.fixture(scope="module")
def judged(small_log: Log) -> Judged:
    return asyncio.run(judge_all(small_log))


def test_every_record_has_exactly_one_end(judged: Judged) -> None:
    assert not violations(judged.source, judged.outputs)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_does_not_decode_is_a_dead_letter_with_its_bytes_and_why(judged: Judged, name: str) -> None:
    sent, why = MALFORMED[name]
    letter = judged.dead_letter(name)
    assert why in letter["message"]
    assert letter["key"] == sent.key
    assert letter["value"] == (None if sent.value is None else sent.value[:MIB])
    assert letter["value_bytes"] == (-1 if sent.value is None else len(sent.value))
    assert letter["value_sha256"] == (None if sent.value is None else sha256(sent.value).digest())
    assert letter["stage"] == ("size" if len(sent.value or b"") > MIB else "decode")


@pytest.mark.parametrize("name", MISROUTED)
def test_the_wrong_key_or_partition_is_denied_with_the_right_ones(judged: Judged, name: str) -> None:
    decision = judged.decision(name)
    assert (decision["effect"], decision["reasons"][0]["rule"]) == ("deny", "misrouted")
    message = decision["reasons"][0]["message"]
    assert f"in partition {VICTIM.partition};" in message
    assert "partitioner=murmur2_random" in message
    assert f"in partition {MISROUTED[name].partition}." in message


def test_the_misrouted_touch_nobodys_state(judged: Judged) -> None:
    assert judged.decision("victim")["effect"] == "allow"
    cell = judged.cells[cell_key(VICTIM.key or b"", CELL)]
    assert read_activity(cell or b"").actions == 1
    owners = {key.partition(b"\x00")[0] for key in judged.cells}
    assert owners == {b"", VICTIM.key, *(sent.key for sent in ODD.values())}
    assert [key for key in judged.cells if key.startswith(b"\x00")] == [b"\x00progress"]


@pytest.mark.parametrize("name", ODD)
def test_what_decodes_is_judged_however_odd(judged: Judged, name: str) -> None:
    decision, sent = judged.decision(name), ODD[name]
    assert decision["effect"] == ("deny" if name == "empty names" else "allow")
    assert decision["log_id"] == judged.outputs.progress[sent.partition].log_id
    partition, offset = judged.places[name]
    (record,) = [
        r
        for r in judged.outputs.decisions[partition]
        if decode(r.value, "decision")["source_offset"] == offset
    ]
    assert record.key == sent.key
    assert record.value.startswith(b"\x00" + struct.pack(">I", 202) + (sent.value or b"")[5:])
