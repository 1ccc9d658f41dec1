"""Records that do not decode: kept whole, with where they came from and why."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from runtime.errors import Malformed
from schemas.codec import encode
from schemas.topics import ACTIONS

KEPT_BYTES = 1 << 20
KEPT_HEADER_BYTES = 64 * 1024
# what a header takes beside its name and value: a compressed batch may hold millions of empty ones
HEADER_BYTES = 16
CONNECT = "__connect.errors."


class Oversized(Malformed):
    """The record is larger than a record may be; nobody has tried to read it."""


class Raw(Protocol):
    """A consumed record."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class DeadLetter(NamedTuple):
    """A record of agent.dead-letters. Its headers are named as Kafka Connect names them."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def dead_letter(log_id: str, partition: int, record: Raw, received_at: int, reason: Malformed) -> DeadLetter:
    """The dead letter of a record: at most its first 1 MiB, with the whole value's length and digest."""
    value, key = record.value, record.key and record.key[:KEPT_HEADER_BYTES]
    stage = "size" if isinstance(reason, Oversized) else "decode"
    message = str(reason)[:4096]
    body = {
        "log_id": log_id,
        "partition": partition,
        "source_offset": record.offset,
        "received_at": received_at,
        "topic": ACTIONS.name,
        "stage": stage,
        "error_class": type(reason).__name__,
        "message": message,
        "value_bytes": -1 if value is None else len(value),
        "value_sha256": None if value is None else sha256(value).digest(),
        "headers": _kept_headers(record.headers),
        "key": key,
        "value": None if value is None else value[:KEPT_BYTES],
    }
    headers = {
        "topic": ACTIONS.name,
        "partition": str(partition),
        "offset": str(record.offset),
        "stage": stage,
        "class.name": type(reason).__name__,
        "exception.message": message,
    }
    named = [(CONNECT + name, text.encode("utf-8", "replace")) for name, text in headers.items()]
    return DeadLetter(key, encode("dead_letter", body), named)


def _kept_headers(headers: Sequence[tuple[str, bytes | None]]) -> list[dict[str, object]]:
    kept: list[dict[str, object]] = []
    left = KEPT_HEADER_BYTES
    for name, value in headers:
        left -= HEADER_BYTES + len(name) + len(value or b"")
        if left < 0:
            break
        kept.append({"key": name.encode("utf-8", "replace").decode(), "value": value})
    return kept
