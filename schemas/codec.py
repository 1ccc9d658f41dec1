"""Cold records: whole values in, framed bytes out, and back. The hot path has its own (lazy.py)."""

import io
from collections.abc import Mapping
from typing import Any

import fastavro

from runtime.errors import Malformed
from schemas.catalogue import DECISIONS, IDS, Schema, newest, schema

Record = dict[str, Any]

PREFIX_BYTES = 5


def split_frame(value: bytes | None) -> tuple[int, bytes]:
    """Split Confluent's wire format into the schema id and the body.

    Raises:
        Malformed: null, shorter than the prefix, or another magic byte.
    """
    if value is None:
        raise Malformed("the value is null; an Avro record in Confluent's wire format was expected")
    if len(value) < PREFIX_BYTES or value[0] != 0:
        raise Malformed(
            f"no Confluent wire format: {len(value)} bytes, beginning '{value[:PREFIX_BYTES].hex()}';"
            " a zero byte and a 4-byte schema id were expected"
        )
    return int.from_bytes(value[1:PREFIX_BYTES], "big"), value[PREFIX_BYTES:]


def encode_body(of: Schema, record: Mapping[str, Any]) -> bytes:
    """Avro bytes of a record, canonical (one block an array, shortest varints).

    Raises:
        ValueError, TypeError: the record does not fit the schema.
    """
    out = io.BytesIO()
    fastavro.schemaless_writer(out, of.parsed, record)
    return out.getvalue()


def encode(name: str, record: Mapping[str, Any]) -> bytes:
    """Frame and encode a record by its schema's newest version."""
    of = newest(name)
    return of.prefix + encode_body(of, record)


def decode_body(of: Schema, body: bytes) -> Record:
    """Read a body by its own schema: times are integers, UUIDs strings.

    Raises:
        Malformed: it does not decode, or bytes are left over.
    """
    stream = io.BytesIO(body)
    try:
        record = fastavro.schemaless_reader(stream, of.parsed, None)
    except (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise Malformed(f"not Avro of {of.name} v{of.version}: {type(error).__name__}: {error}") from error
    if stream.tell() != len(body):
        raise Malformed(f"{len(body) - stream.tell()} bytes after the end of a {of.name} v{of.version}")
    if not isinstance(record, dict):
        raise Malformed(f"not a record: {type(record).__name__}")
    return record


def decode(value: bytes | None, name: str) -> Record:
    """Unframe and read a record that must be of a given name, whatever its version.

    Raises:
        Malformed: unknown id, another record, or it does not decode.
    """
    schema_id, body = split_frame(value)
    if schema_id not in IDS and schema_id not in DECISIONS:
        raise Malformed(f"unknown schema id {schema_id}; known are {sorted([*IDS, *DECISIONS])}")
    of = schema(schema_id)
    if of.name != name:
        raise Malformed(f"schema id {schema_id} is {of.name}, not {name}")
    return decode_body(of, body)
