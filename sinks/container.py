"""Builds Avro object containers by joining bodies that are Avro already: nothing is decoded.

Source: Avro 1.12 specification, "Object Container Files".
"""

import json
from collections.abc import Sequence

from schemas.catalogue import Schema
from schemas.varint import zigzag

MAGIC = b"Obj\x01"
# Any 16 bytes serve: a reader compares them with those of the header, and there is one block only.
SYNC = b"praetor-archive."


def container(of: Schema, bodies: Sequence[bytes]) -> bytes:
    """Return a container of one block that holds `bodies` in order. The same input gives the same bytes.

    Not checked: that the bodies are of this schema.
    """
    data = b"".join(bodies)
    return b"".join((header(of), zigzag(len(bodies)), zigzag(len(data)), data, SYNC))


def header(of: Schema) -> bytes:
    """The container's head: the writer's schema and the codec (none)."""
    entries = {"avro.schema": json.dumps(of.definition).encode(), "avro.codec": b"null"}
    meta = b"".join(sized(key.encode()) + sized(value) for key, value in entries.items())
    return MAGIC + zigzag(len(entries)) + meta + zigzag(0) + SYNC


def sized(data: bytes) -> bytes:
    """Avro's bytes: the length, then the data."""
    return zigzag(len(data)) + data
