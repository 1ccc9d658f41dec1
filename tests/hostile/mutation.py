"""A seeded mutator over real records: what a careless, broken or hostile producer may send."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from schemas.catalogue import IDS, newest, schema
from schemas.codec import PREFIX_BYTES
from schemas.keys import agent_key, partition_of
from schemas.limits import MAX_RECORD_BYTES, MAX_VALUE_BYTES
from tests.schemas.encodings import Writer
from tests.streams.fleet import ORDINARY, action, framed

CLEAN, WILD = "clean", "wild"
LONGS = (-(1 << 63), (1 << 63) - 1, -1, 0, 1 << 62, 253_402_300_800_000_000, -62_135_596_800_000_001)
DOUBLES = (float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7e308)
TEXTS = (
    "",
    "\x00",
    "\u202e\u2066",
    "\ufeff",
    "a" * 3_000,
    "é" * 300,
    "../" * 90,
    "' OR 1=1 --",
    "\x1b[2J",
    "🜏" * 64,
)
SURROGATE = b"\xed\xa0\x80"
ARGUMENTS = (
    "[" * 20_000,
    "[" * 5_000 + "]" * 5_000,
    '{"path": "/a", "path": "/b"}',
    '{"a":' * 2_000 + "1" + "}" * 2_000,
    '"\\ud800"',
    '{"\\udfff": "\\ud83d"}',
    "NaN",
    "-" + "9" * 5_000,
    '{"__proto__": {"a": 1}}',
    "\ufeff{}",
    "{",
    "",
    json.dumps({str(n): n for n in range(2_000)}),
)


class Wild(NamedTuple):
    """A record for agent.actions; `timestamp` is what its producer claims."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int | None = None


def clean(rng: Random, partitions: int) -> Wild:
    """An action as an ordinary agent sends it; one in ten agents does what is denied."""
    number = rng.randrange(40)
    kind = "exec:shell" if number % 10 == 0 else rng.choice(ORDINARY)
    fields = action(rng, f"agent-{number}", tenant=CLEAN, action=kind, arguments='{"n": 1}')
    return _sent(fields, framed(fields), partitions)


def wild(rng: Random, partitions: int) -> Wild:
    """A record that is wrong or odd in some way; none is a right record of a clean agent."""
    fields = _fields(rng)
    sent = _sent(fields, _encoded(rng, fields), partitions)
    if rng.random() < 0.5:
        sent = sent._replace(value=_spoilt(rng, sent.value or b""))
    for change in rng.choices((_key, _partition, _headers, _timestamp), k=rng.randrange(3)):
        sent = change(rng, sent, partitions)
    return sent


def _sent(fields: dict[str, Any], value: bytes | None, partitions: int) -> Wild:
    key = agent_key(fields["tenant"], fields["agent_id"])
    return Wild(partition_of(key, partitions), key, value, [])


def _fields(rng: Random) -> dict[str, Any]:
    """An action's fields, some of them extreme."""
    fields = action(rng, f"agent-{rng.randrange(40)}", tenant=WILD)
    for _ in range(rng.randrange(4)):
        name = rng.choice(
            ["occurred_at", "input_tokens", "size_bytes", "producer_seq", "deadline", "content_bytes"]
        )
        fields[name] = rng.choice(LONGS)
        fields["cost_usd"] = rng.choice(DOUBLES)
    if rng.random() < 0.3:
        fields[rng.choice(["session_id", "resource", "tool", "content", "trace_id", "model"])] = rng.choice(
            TEXTS
        )
    if rng.random() < 0.1:
        fields["agent_id"] = rng.choice(TEXTS)
    if rng.random() < 0.3:
        fields["arguments"] = rng.choice(ARGUMENTS)
    if rng.random() < 0.2:
        fields["labels"] = {rng.choice(TEXTS): "x" for _ in range(5)}
    if rng.random() < 0.0015:
        fields["content"] = "x" * (MAX_VALUE_BYTES - rng.choice([0, 100, 400, 2_000]))
    return fields


def _encoded(rng: Random, fields: dict[str, Any]) -> bytes:
    """Canonical Avro, or as Avro allows it besides; of the newest version or of the first."""
    of = newest("action_event") if rng.random() < 0.7 else schema(101)
    if rng.random() < 0.7:
        return framed(fields)
    blank = {f["name"]: f.get("default") for f in of.definition["fields"]}
    known = {name: value for name, value in fields.items() if name in blank}
    return of.prefix + Writer(rng, odd=0.3).record(of.definition, blank | known)


def _spoilt(rng: Random, value: bytes) -> bytes | None:
    """Other bytes; they may still decode."""
    if rng.random() < 0.15:
        return rng.choice([None, b"", b"\x00", rng.randbytes(rng.randrange(60)), b'{"action": "read:file"}'])
    spoilt = bytearray(value)
    for _ in range(rng.randrange(1, 4)):
        rng.choice(EDITS)(rng, spoilt)
    return bytes(spoilt)


def _flip(rng: Random, value: bytearray) -> None:
    if value:
        value[_place(rng, value)] ^= 1 << rng.randrange(8)


def _set(rng: Random, value: bytearray) -> None:
    if value:
        value[_place(rng, value)] = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF])


def _insert(rng: Random, value: bytearray) -> None:
    at = _place(rng, value)
    value[at:at] = rng.choice(
        [SURROGATE, b"\xff" * 10, b"\x80" * 12, b"\x00", rng.randbytes(5), value[at : at + 40]]
    )


def _delete(rng: Random, value: bytearray) -> None:
    at = _place(rng, value)
    del value[at : at + rng.randrange(1, 20)]


def _truncate(rng: Random, value: bytearray) -> None:
    del value[_place(rng, value) :]


def _extend(rng: Random, value: bytearray) -> None:
    value += rng.choice([b"\x00", b"\x00" * 40, rng.randbytes(3), bytes(value[:200])])


def _rename(rng: Random, value: bytearray) -> None:
    value[1:PREFIX_BYTES] = rng.choice([*IDS, 201, 9_999, (1 << 32) - 1]).to_bytes(4, "big")


EDITS: tuple[Callable[[Random, bytearray], None], ...] = (
    _flip,
    _set,
    _insert,
    _delete,
    _truncate,
    _extend,
    _rename,
)


def _place(rng: Random, value: bytearray) -> int:
    """Any place, more often one where fields are dense than one in a long text."""
    return rng.randrange(min(len(value), rng.choice([16, 120, 1 << 20])) or 1)


def _key(rng: Random, sent: Wild, partitions: int) -> Wild:
    other = agent_key(CLEAN, f"agent-{rng.randrange(40)}")
    long = b"k" * rng.choice([70_000, 500_000]) if rng.random() < 0.02 else b"k"
    return sent._replace(
        key=rng.choice([None, b"", b"\x00", b"\x00progress", other, b"\xff\xfe", other + b"\x00", long])
    )


def _partition(rng: Random, sent: Wild, partitions: int) -> Wild:
    return sent._replace(partition=rng.randrange(partitions))


def _headers(rng: Random, sent: Wild, partitions: int) -> Wild:
    if rng.random() < 0.02:
        used = len(sent.key or b"") + len(sent.value or b"") + 16
        room = max(0, MAX_RECORD_BYTES - used + rng.choice([-1, 0, 1]))
        return sent._replace(headers=[("", b"h" * min(room, 1 << 20))])
    odd: list[tuple[str, bytes | None]] = [
        ("", b""),
        ("", None),
        ("same", b"1"),
        ("same", b"2"),
        ("praetor.redrive.offset", b"0"),
        ("__connect.errors.stage", b"decode"),
        ("né\u202e\x00", rng.randbytes(9)),
    ]
    return sent._replace(headers=rng.choices(odd, k=rng.choice([1, 3, 50])))


def _timestamp(rng: Random, sent: Wild, partitions: int) -> Wild:
    return sent._replace(timestamp=rng.choice([0, 1, (1 << 62), 253_402_300_800_000, 1_600_000_000_000]))
