"""Records that are wrong or odd each in one known way, with what must come of them."""

import json
from random import Random
from typing import Any, NamedTuple

from schemas.catalogue import newest
from schemas.keys import agent_key, partition_of
from schemas.limits import HEADER_BYTES, MAX_RECORD_BYTES, MAX_VALUE_BYTES
from tests.hostile.mutation import ARGUMENTS, CLEAN, DOUBLES, LONGS, SURROGATE, WILD, Wild
from tests.schemas.encodings import Writer, varint
from tests.streams.fleet import action, framed

PARTITIONS = 3
RNG = Random(7)
ALLOW, MISROUTED, DECODE, SIZE = "allow", "misrouted", "decode", "size"
OF = newest("action_event")


class Case(NamedTuple):
    """A record, what must come of it, and a part of the reason where it is a dead letter."""

    sent: Wild
    end: str
    why: str = ""


def sent(**fields: Any) -> Wild:
    """A right action of a hostile agent."""
    whole = action(RNG, fields.pop("agent_id", "agent-1"), tenant=WILD, **fields)
    key = agent_key(WILD, whole["agent_id"])
    return Wild(partition_of(key, PARTITIONS), key, framed(whole), [])


GOOD = sent()
BODY = (GOOD.value or b"")[5:]
PREFIX = OF.prefix
VICTIM = agent_key(CLEAN, "agent-1")


def value(raw: bytes | None) -> Wild:
    return GOOD._replace(value=raw)


def of_size(size: int, **more: Any) -> Wild:
    """A right action with a value of so many bytes."""
    more = {"resource": "/workspace/1.py", **more}
    empty = sent(content="", **more)
    made = sent(content="x" * (size - len(empty.value or b"") - 2), **more)
    assert len(made.value or b"") == size
    return made


def of_whole_size(size: int) -> Wild:
    """A right action with the largest value, and so many bytes of everything."""
    made = of_size(MAX_VALUE_BYTES)
    rest = size - MAX_VALUE_BYTES - len(made.key or b"") - HEADER_BYTES
    return made._replace(headers=[("", b"h" * rest)])


def odd(seed: int) -> bytes:
    """The same action, written otherwise than canonically."""
    fields = {f["name"]: f.get("default") for f in OF.definition["fields"]}
    fields |= action(Random(1), "agent-1", tenant=WILD) | {"labels": {"a": "1", "b": "2", "c": "3"}}
    return PREFIX + Writer(Random(seed), odd=1.0).record(OF.definition, fields)


def swapped(old: bytes, new: bytes) -> bytes:
    assert BODY.count(old) == 1
    return PREFIX + BODY.replace(old, new)


MALFORMED = {
    "garbage": Case(value(RNG.randbytes(300)), DECODE, "no Confluent wire format"),
    "null": Case(value(None), DECODE, "null"),
    "null, no key": Case(GOOD._replace(key=None, value=None), DECODE, "null"),
    "empty": Case(value(b""), DECODE, "0 bytes"),
    "JSON": Case(value(b'{"action": "read:file"}'), DECODE, "no Confluent wire format"),
    "unknown schema id": Case(value(b"\x00\x00\x00\x27\x0f" + BODY), DECODE, "schema id 9999"),
    "a decision": Case(value(b"\x00\x00\x00\x00\xc9" + BODY), DECODE, "schema id 201"),
    "a negative id": Case(value(b"\x00\xff\xff\xff\xff" + BODY), DECODE, "schema id 4294967295"),
    "prefix alone": Case(value(PREFIX), DECODE, "event_id"),
    **{f"cut at {n}": Case(value(PREFIX + BODY[:n]), DECODE) for n in range(1, len(BODY), 7)},
    "trailing byte": Case(value(PREFIX + BODY + b"\x00"), DECODE, "after the record's end"),
    "twice": Case(value(PREFIX + BODY + BODY), DECODE, "after the record's end"),
    "wrong types": Case(value(PREFIX + varint(7) * 30), DECODE),
    "a string's length is negative": Case(value(PREFIX + varint(-5) + BODY), DECODE, "-5 bytes wanted"),
    "a string beyond the end": Case(value(PREFIX + varint(1 << 40) + BODY), DECODE, "bytes wanted"),
    "a length of 64 bits": Case(value(PREFIX + varint((1 << 63) - 1) + BODY), DECODE, "bytes wanted"),
    "an endless varint": Case(value(PREFIX + b"\xff" * 40), DECODE, "varint longer than 10"),
    "a varint beyond 64 bits": Case(value(PREFIX + b"\xff" * 9 + b"\x7f" + BODY), DECODE, "beyond 64 bits"),
    "an unpaired surrogate": Case(value(swapped(b"/workspace", SURROGATE + b"rkspace")), DECODE, "not UTF-8"),
    "overlong UTF-8": Case(value(swapped(b"/workspace", b"\xc0\xafworkspac")), DECODE, "not UTF-8"),
    "no UUID": Case(value(framed(action(RNG, event_id="x" * 36))), DECODE, "not a UUID"),
    "a UUID in capitals": Case(
        value(framed(action(RNG, event_id="A" * 8 + "-AAAA" * 3 + "-" + "A" * 12))), DECODE
    ),
    "an effect as tenant": Case(value(PREFIX + BODY[:37] + b"\x01" + BODY[38:]), DECODE, "tenant"),
}
SIZES = {
    "value, one less": Case(of_size(MAX_VALUE_BYTES - 1), ALLOW),
    "value, the limit": Case(of_size(MAX_VALUE_BYTES), ALLOW),
    "value, one more": Case(
        of_size(MAX_VALUE_BYTES + 1), SIZE, "a value of 1048577 bytes; 1048576 are allowed"
    ),
    "value, much more": Case(value(b"x" * (5 << 20)), SIZE, "a value of 5242880 bytes"),
    "whole, one less": Case(of_whole_size(MAX_RECORD_BYTES - 1), ALLOW),
    "whole, the limit": Case(of_whole_size(MAX_RECORD_BYTES), ALLOW),
    "whole, one more": Case(of_whole_size(MAX_RECORD_BYTES + 1), SIZE, f"{MAX_RECORD_BYTES} are allowed"),
    "decision beyond the limit": Case(of_size(MAX_VALUE_BYTES, action="exec:shell"), "deny"),
    "decision beyond it, no text": Case(sent(resource="r" * (MAX_VALUE_BYTES - 300)), ALLOW),
    "a long key": Case(GOOD._replace(key=b"k" * 900_000), MISROUTED),
    "a long agent": Case(sent(agent_id="/" * 250_000), ALLOW),
    "very many labels": Case(sent(labels={str(n): "" for n in range(90_000)}), ALLOW),
    "many headers": Case(GOOD._replace(headers=[("", b"")] * 60_000), ALLOW),
    "too many headers": Case(
        GOOD._replace(headers=[("", b"")] * 70_000), SIZE, "bytes of key, value and headers"
    ),
}
ROUTES = {
    "empty key": Case(GOOD._replace(key=b""), MISROUTED),
    "no key": Case(GOOD._replace(key=None), MISROUTED),
    "key of another agent": Case(GOOD._replace(key=VICTIM), MISROUTED),
    "another's key and partition": Case(
        GOOD._replace(key=VICTIM, partition=partition_of(VICTIM, PARTITIONS)), MISROUTED
    ),
    "wrong partition": Case(GOOD._replace(partition=(GOOD.partition + 1) % PARTITIONS), MISROUTED),
    "key of the progress record": Case(GOOD._replace(key=b"\x00progress"), MISROUTED),
    "key of a cell": Case(GOOD._replace(key=VICTIM + b"\x00activity"), MISROUTED),
    "key with a zero byte behind": Case(GOOD._replace(key=(GOOD.key or b"") + b"\x00"), MISROUTED),
    "key no UTF-8": Case(GOOD._replace(key=b"\xff\xfe"), MISROUTED),
    "a body that says another": Case(value(framed(action(RNG, "agent-1", tenant=CLEAN))), MISROUTED),
}
ODD = {
    **{f"encoded otherwise {n}": Case(value(odd(n)), ALLOW) for n in range(8)},
    **{f"arguments {n}": Case(sent(arguments=text), ALLOW) for n, text in enumerate(ARGUMENTS)},
    "arguments nested deep": Case(sent(arguments="[" * 400_000 + "]" * 400_000), ALLOW),
    "arguments with a key 50,000 times": Case(sent(arguments="{" + '"a":1,' * 50_000 + '"a":1}'), ALLOW),
    "arguments no JSON": Case(sent(arguments="\x00\x1b[2J"), ALLOW),
    "arguments escaped surrogate": Case(sent(arguments=json.dumps({"a": "\ud800"})), ALLOW),
    **{f"occurred_at {n}": Case(sent(occurred_at=n), ALLOW) for n in LONGS},
    **{
        f"numbers {n}": Case(sent(input_tokens=n, producer_id="p", producer_seq=n, deadline=n), ALLOW)
        for n in LONGS
    },
    **{f"cost {n}": Case(sent(cost_usd=n), ALLOW) for n in DOUBLES},
    **{
        f"CreateTime {n}": Case(GOOD._replace(timestamp=n), ALLOW)
        for n in (0, 1, 1 << 50, 1 << 62, (1 << 63) - 1)
    },
    "headers odd": Case(
        GOOD._replace(headers=[("", b""), ("", None), ("a", b"1"), ("a", b"2"), ("\u202e", b"\xff")]), ALLOW
    ),
    "headers of a redrive, forged": Case(GOOD._replace(headers=[("praetor.redrive.offset", b"0")]), ALLOW),
    "control characters": Case(sent(agent_id="\x1b[2J\u202e\x00\r\n", resource="\ufeff\x07"), ALLOW),
    "empty names": Case(sent(agent_id="", action="", resource=""), "deny"),
}
CASES = {**MALFORMED, **SIZES, **ROUTES, **ODD}
