"""A strict, complete Avro reader: slow, and right about what the hot path's walker leaves to it.

It accepts every encoding that Avro 1.12 allows (several blocks, negative block counts with sizes, varints
longer than needed but of at most ten bytes) and refuses everything else, with a place and a reason. Values
are plain: integers, floats, str, bytes, dict, list, None; an enum is its symbol.
Source: Avro 1.12 specification, "Binary Encoding".
"""

import re
import struct
from collections.abc import Iterator
from typing import Any

from runtime.errors import Malformed

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MAX_VARINT_BYTES = 10
MAX_ITEMS = 1 << 20


class Reader:
    """Reads values of one body, front to back."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def take(self, count: int, what: str) -> bytes:
        """The next bytes.

        Raises:
            Malformed: the body ends before.
        """
        if count < 0 or self.at + count > len(self.body):
            raise Malformed(
                f"{what}: {count} bytes wanted at byte {self.at}, {len(self.body) - self.at} are left"
            )
        taken = self.body[self.at : self.at + count]
        self.at += count
        return taken

    def long(self, what: str) -> int:
        """A zigzag varint of 64 bits.

        Raises:
            Malformed: longer than ten bytes, beyond 64 bits, or cut.
        """
        at = self.at
        if at < len(self.body) and (byte := self.body[at]) < 0x80:  # what most are
            self.at = at + 1
            return (byte >> 1) ^ -(byte & 1)
        value = 0
        for i in range(MAX_VARINT_BYTES):
            byte = self.take(1, what)[0]
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                if value >> 64:
                    raise Malformed(f"{what}: an integer beyond 64 bits ends at byte {self.at}")
                return (value >> 1) ^ -(value & 1)
        raise Malformed(f"{what}: a varint longer than {MAX_VARINT_BYTES} bytes ends at byte {self.at}")

    def string(self, what: str) -> str:
        """A UTF-8 string.

        Raises:
            Malformed: negative length, cut, or not UTF-8.
        """
        raw = self.take(self.long(what), what)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"{what}: not UTF-8 at its byte {error.start}") from error

    def blocks(self, what: str) -> Iterator[int]:
        """The counts of an array's or map's blocks; the items of each are to be read before the next.

        Raises:
            Malformed: a count beyond what the body can hold, or a block that has not the size it says.
        """
        while count := self.long(what):
            size = self.long(what) if count < 0 else None
            begin = self.at
            if abs(count) > min(MAX_ITEMS, len(self.body)):
                raise Malformed(f"{what}: a block of {abs(count)} items in a body of {len(self.body)} bytes")
            yield abs(count)
            if size is not None and self.at - begin != size:
                raise Malformed(f"{what}: a block of {self.at - begin} bytes that says {size}")

    def read(self, of: Any, what: str) -> Any:
        """A value of a schema whose named types are written out (`schemas.catalogue.spelled_out`)."""
        if isinstance(of, list):
            index = self.long(what)
            if not 0 <= index < len(of):
                raise Malformed(f"{what}: union branch {index} of {len(of)}")
            return self.read(of[index], what)
        kind = of["type"] if isinstance(of, dict) else of
        return self._read_kind(kind, of, what)

    def _read_kind(self, kind: str, of: Any, what: str) -> Any:
        match kind:
            case "null":
                return None
            case "string":
                text = self.string(what)
                if (
                    isinstance(of, dict)
                    and of.get("logicalType") == "uuid"
                    and not UUID.fullmatch(text.encode())
                ):
                    raise Malformed(f"{what}: {text[:64]!r} is not a UUID in canonical lower case")
                return text
            case "long":
                return self.long(what)
            case "int":
                return self._int(what)
            case "double":
                return struct.unpack("<d", self.take(8, what))[0]
            case "bytes":
                return self.take(self.long(what), what)
            case "enum" | "map" | "fixed":
                return self._read_complex(kind, of, what)
            case _:
                raise Malformed(f"{what}: type {kind} is not read here")

    def _int(self, what: str) -> int:
        value = self.long(what)
        if not -(1 << 31) <= value < 1 << 31:
            raise Malformed(f"{what}: {value} is beyond 32 bits")
        return value

    def _read_complex(self, kind: str, of: Any, what: str) -> Any:
        if kind == "fixed":
            return self.take(of["size"], what)
        if kind == "enum":
            index = self._int(what)
            if not 0 <= index < len(of["symbols"]):
                raise Malformed(f"{what}: symbol {index} of {len(of['symbols'])}")
            return of["symbols"][index]
        found: dict[str, Any] = {}
        for count in self.blocks(what):
            for _ in range(count):
                key = self.string(f"{what} (a key)")
                found[key] = self.read(of["values"], f"{what}.{key[:64]}")
        return found


def read_strictly(definition: Any, body: bytes) -> dict[str, Any]:
    """Read a whole record, to its last byte; the definition's named types are written out.

    Raises:
        Malformed: with the field, the byte and the reason.
    """
    reader = Reader(body)
    record = {f["name"]: reader.read(f["type"], f["name"]) for f in definition["fields"]}
    if reader.at != len(body):
        raise Malformed(f"{len(body) - reader.at} bytes after the record's end at byte {reader.at}")
    return record
