"""The usual event's bytes, made directly: what fastavro would write, in a third of its time.

Only for records that give no more than `USUAL` fields; the bytes of the others' defaults are fastavro's own,
made once. Whatever does not fit raises one of `UNFIT`, and is left to fastavro.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import fastavro

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Write = Callable[[Mapping[str, Any]], bytes]

UNFIT = (AttributeError, KeyError, TypeError, UnicodeEncodeError)
USUAL = frozenset(
    "event_id tenant agent_id session_id occurred_at phase mode action resource tool parent_event_id outcome"
    " producer_id producer_epoch labels arguments content salt".split()
)
_SHORT = tuple(bytes((2 * n,)) for n in range(64))


def zigzag(value: int) -> bytes:
    """Avro's encoding of an integer that is not negative."""
    value <<= 1
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(value: str) -> bytes:
    raw = value.encode()
    size = len(raw)
    return (_SHORT[size] if size < 64 else zigzag(size)) + raw


def _optional(value: str | None) -> bytes:
    return b"\x00" if value is None else b"\x02" + _text(value)


def _map(values: Mapping[str, str]) -> bytes:
    if not values:
        return b"\x00"
    return zigzag(len(values)) + b"".join([_text(k) + _text(v) for k, v in values.items()]) + b"\x00"


class _Fields:
    """The schema's fields, for what is made once."""

    def __init__(self, fields: list[Any]) -> None:
        self._fields = fields
        self._names = [f["name"] for f in fields]

    def symbols(self, name: str) -> dict[str, bytes]:
        """An enum's symbols and their bytes."""
        symbols = self._fields[self._names.index(name)]["type"]["symbols"]
        return {symbol: zigzag(i) for i, symbol in enumerate(symbols)}

    def between(self, first: str, last: str) -> bytes:
        """The defaults of the fields between two."""
        left_out = self._fields[self._names.index(first) + 1 : self._names.index(last)]
        part = {"type": "record", "name": "Part", "namespace": "praetor", "fields": left_out}
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(part), {})
        found: bytes = out.getvalue()
        return found


def writers(fields: list[Any], prefix: bytes) -> tuple[Write, Write]:
    """Two functions, of a usual record: the bytes before `producer_seq`, with the prefix, and those after it.

    They raise one of `UNFIT` for what fastavro is to judge. An `occurred_at` or epoch below zero or
    beyond 64 bits is written wrongly: the caller sees to it.
    """
    of = _Fields(fields)
    phases, modes = of.symbols("phase"), of.symbols("mode")
    server, principals = of.between("tool", "parent_event_id"), of.between("parent_event_id", "outcome")
    usage, gate = of.between("outcome", "producer_id"), of.between("producer_seq", "labels")

    def head(record: Mapping[str, Any]) -> bytes:
        get = record.get
        return b"".join(
            (
                prefix + _text(record["event_id"]),
                _text(record["tenant"]) + _text(record["agent_id"]) + _optional(get("session_id")),
                zigzag(record["occurred_at"]) + phases[record["phase"]] + modes[record["mode"]],
                _text(record["action"]) + _text(record["resource"]) + _optional(get("tool")) + server,
                _optional(get("parent_event_id")) + principals + _optional(get("outcome")) + usage,
                _optional(record["producer_id"]) + zigzag(record["producer_epoch"]),
            )
        )

    def tail(record: Mapping[str, Any]) -> bytes:
        get = record.get
        salt: bytes = record["salt"]
        texts = _optional(get("arguments")) + _optional(get("content"))
        return gate + _map(record["labels"]) + texts + b"\x02" + zigzag(len(salt)) + salt

    return head, tail
