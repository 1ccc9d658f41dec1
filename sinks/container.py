"""Builds Avro object containers by joining bodies that are Avro already: nothing is decoded.

Source: Avro 1.12 specification, "Object Container Files".
"""

import json
from collections.abc import Sequence

from schemas.catalogue import Schema

MAGIC = b"Obj\x01"
# Any 16 bytes serve: a reader compares them with those of the header, and there is one block only.
SYNC = b"praetor-archive."


def container(of: Schema, bodies: Sequence[bytes]) -> bytes:
    """Return a container of one block that holds `bodies` in order. The same input gives the same bytes.

    Not checked: that the bodies are of this schema.
    """
    data = b"".join(bodies)
    return b"".join((header(of), varint(len(bodies)), varint(len(data)), data, SYNC))


def header(of: Schema) -> bytes:
    """The container's head: the writer's schema and the codec (none)."""
    entries = {"avro.schema": json.dumps(of.definition).encode(), "avro.codec": b"null"}
    meta = b"".join(sized(key.encode()) + sized(value) for key, value in entries.items())
    return MAGIC + varint(len(entries)) + meta + varint(0) + SYNC


def sized(data: bytes) -> bytes:
    """Avro's bytes: the length, then the data."""
    return varint(len(data)) + data


def varint(number: int) -> bytes:
    """Avro's long, of a number that is not negative."""
    left = number << 1
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)
