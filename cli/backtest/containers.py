"""Avro object containers as ClickHouse streams them: records out, not decoded.

Source: Avro 1.12 specification, "Object Container Files". A block holds one record where the writer was told
to end blocks at once (`ONE_A_BLOCK`): its length then stands before it.
"""

from collections.abc import Iterator
from typing import Protocol

from runtime.errors import PraetorError
from schemas.lazy import long_at
from sinks.container import MAGIC

ONE_A_BLOCK = {"output_format_avro_codec": "null", "output_format_avro_sync_interval": 32}
"""ClickHouse's settings: blocks end after 32 bytes or more, which every decision has."""
PIECE = 1 << 20
SYNC_BYTES = 16
ONE = 2
"""The byte of the number 1."""


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


def records(stream: Readable) -> Iterator[bytes]:
    """The body of each record.

    Raises:
        PraetorError: it is no such container, or ends within a record: the answer was cut.
    """
    data, sync = b"", b""
    while piece := stream.read(PIECE):
        data += piece
        at = 0
        try:
            if not sync:
                at, sync = _header(data)
            while at < len(data):
                low, high = data[at + 1], data[at + 2]
                if data[at] == ONE and low > 127 > high:  # what is usual: one record, a length of two bytes
                    count, end = 1, at + 3 + ((low & 127 | high << 7) >> 1)
                    start = at + 3
                else:
                    count, start = long_at(data, at)
                    size, start = long_at(data, start)
                    end = start + size
                if data[end : end + SYNC_BYTES] != sync:
                    if end + SYNC_BYTES > len(data) and count == 1:
                        break
                    raise PraetorError(f"ClickHouse's answer is not one record a block: {data[at:][:200]!r}")
                yield data[start:end]
                at = end + SYNC_BYTES
        except IndexError:
            pass  # cut within a number: the next piece has the rest
        data = data[at:]
    if data:
        raise PraetorError(f"ClickHouse's answer is cut, or ends with an error: {data[-400:]!r}")


def _header(data: bytes) -> tuple[int, bytes]:
    """Where the first block begins, and what ends each.

    Raises:
        IndexError: there is more of it to come.
    """
    if len(data) >= len(MAGIC) and not data.startswith(MAGIC):
        raise PraetorError(f"ClickHouse's answer is no Avro: {data[:400]!r}")
    at = len(MAGIC)
    while True:
        entries, at = long_at(data, at)
        if not entries:
            break
        for _ in range(2 * entries):
            length, at = long_at(data, at)
            at += length
    if at + SYNC_BYTES > len(data):
        raise IndexError
    return at + SYNC_BYTES, data[at : at + SYNC_BYTES]
