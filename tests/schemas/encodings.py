"""Strategies: records of any of our schemas, and every way in which Avro lets one be written."""

import io
import struct
from random import Random
from typing import Any

import fastavro
from hypothesis import strategies as st

from schemas.catalogue import newest, spelled_out, without_logical_types

ACTION = newest("action_event")

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
# one byte, many bytes, and lengths around the varint's first two steps
LENGTHS = st.sampled_from([0, 1, 63, 64, 65, 127, 128, 129, 300])
STRINGS = TEXT | st.builds(lambda text, n: (text or "é") * n, TEXT, LENGTHS)
LONGS = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-130, 130)
UUIDS = st.uuids().map(str)
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "string": STRINGS,
    "long": LONGS,
    "int": st.integers(-(1 << 31), (1 << 31) - 1),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=300),
}


def values(of: Any, names: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of a schema; `names` collects the named types as they come."""
    if isinstance(of, str) and of in names:
        of = names[of]
    if isinstance(of, list):
        return st.one_of(*[values(branch, names) for branch in of])
    kind = of["type"] if isinstance(of, dict) else of
    if isinstance(of, dict) and "name" in of:
        names[of["name"]] = of
    if isinstance(of, dict) and of.get("logicalType") == "uuid":
        return UUIDS
    if kind in PLAIN:
        return PLAIN[kind]
    return complex_values(kind, of, names)


def complex_values(kind: str, of: Any, names: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "enum":
            return st.sampled_from(of["symbols"])
        case "fixed":
            return st.binary(min_size=of["size"], max_size=of["size"])
        case "map":
            return st.dictionaries(TEXT, values(of["values"], names), max_size=6)
        case "array":
            return st.lists(values(of["items"], names), max_size=4)
        case "record":
            return records(of, names)
    raise ValueError(f"no strategy for {kind}")


def records(definition: Any, names: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Any record of a schema."""
    known: dict[str, Any] = {} if names is None else names
    return st.fixed_dictionaries({f["name"]: values(f["type"], known) for f in definition["fields"]})


def parsed(definition: Any) -> Any:
    return fastavro.parse_schema(without_logical_types(definition), _write_hint=False)


def write(definition: Any, record: dict[str, Any]) -> bytes:
    """What fastavro writes."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed(definition), record)
    return out.getvalue()


def read(writer: Any, body: bytes, reader: Any = None) -> Any:
    """What fastavro reads; it must be the whole body."""
    stream = io.BytesIO(body)
    record = fastavro.schemaless_reader(stream, parsed(writer), parsed(reader) if reader else None)
    assert stream.tell() == len(body)
    return record


def varint(value: int, padding: int = 0) -> bytes:
    """Zigzag, with up to `padding` bytes more than needed but never more than ten in all."""
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(min(padding, 10 - len(out))):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


class Writer:
    """Writes a value as Avro allows: canonically, or at a share `odd` of the places in one of its other ways.

    `marks` are where the fields of the last `record` begin, and the values of optional ones.
    """

    def __init__(self, random: Random | None = None, odd: float = 0.0) -> None:
        self._random = random or Random(0)
        self._odd_share = odd
        self.marks: list[int] = []

    def long(self, value: int) -> bytes:
        return varint(value, self._random.choice([1, 2, 9]) if self._odd() else 0)

    def blob(self, raw: bytes) -> bytes:
        return self.long(len(raw)) + raw

    def _odd(self) -> bool:
        return self._odd_share > 0 and self._random.random() < self._odd_share

    def value(self, of: Any, value: Any) -> bytes:
        if isinstance(of, list):
            if value is None:
                return self.long(0)
            return self.long(1) + self.value(of[1], value)
        kind = of["type"] if isinstance(of, dict) else of
        match kind:
            case "string":
                return self.blob(value.encode())
            case "bytes":
                return self.blob(value)
            case "long" | "int":
                return self.long(value)
            case "double":
                return struct.pack("<d", value)
            case "fixed":
                return bytes(value)
            case "enum":
                return self.long(of["symbols"].index(value))
            case "map":
                return self.map(of, value)
        raise ValueError(f"no encoding for {kind}")

    def map(self, of: Any, value: dict[str, Any]) -> bytes:
        """Blocks of any sizes, with sizes or without; a key may come before with another value."""
        entries = list(value.items())
        if entries and self._odd():
            entries = [(self._random.choice(entries)[0], "earlier"), *entries]
        out = b""
        while entries:
            size = self._random.randint(1, len(entries)) if self._odd() else len(entries)
            block = b"".join(self.blob(k.encode()) + self.value(of["values"], v) for k, v in entries[:size])
            out += self.long(-size) + self.long(len(block)) if self._odd() else self.long(size)
            out += block
            entries = entries[size:]
        return out + self.long(0)

    def record(self, definition: Any, record: dict[str, Any]) -> bytes:
        self.marks = []
        out = b""
        for field in spelled_out(definition, {})["fields"]:
            self.marks.append(len(out))
            if isinstance(field["type"], list) and record[field["name"]] is not None:
                self.marks.append(len(out) + 1)
            out += self.value(field["type"], record[field["name"]])
        return out
