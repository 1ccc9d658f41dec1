"""Records that do not decode: kept whole, with where they came from and why."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from runtime.errors import Malformed
from runtime.records import Unread
from schemas.codec import encode
from schemas.limits import MAX_VALUE_BYTES, headers_bytes
from schemas.topics import ACTIONS

# of a record beyond the limits; of one within them all is kept
KEPT_KEY_BYTES = KEPT_HEADERS_BYTES = 64 * 1024
MESSAGE_CHARACTERS = 4096
CONNECT = "__connect.errors."

DECODE, SIZE, BATCH = "decode", "size", "batch"


class Oversized(Malformed):
    """The record is larger than a record may be; nobody has tried to read it."""


class Unreadable(Malformed):
    """The record stands in a batch that cannot be read; its bytes are known to nobody."""


class Raw(Protocol):
    """A consumed record."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class DeadLetter(NamedTuple):
    """A record of agent.dead-letters, its headers named as Kafka Connect names them; then what is counted."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    stage: str
    error_class: str


def dead_letter(log_id: str, partition: int, record: Raw, received_at: int, reason: Malformed) -> DeadLetter:
    """The dead letter of a record.

    Stages: `decode`, within the limits, and kept whole (a header's name that is no UTF-8 with replacement
    characters); `size`, beyond the limits, with at most the first 1 MiB of its value and 64 KiB each of key
    and headers; `batch`, whose bytes could not be had. The whole value's length and digest are kept.
    """
    if isinstance(record.value, Unread):
        reason = Unreadable(record.value.reason)
    stage = _stage(reason)
    whole = stage == DECODE
    value = None if stage == BATCH else record.value
    key = record.key if whole else record.key and record.key[:KEPT_KEY_BYTES]
    message = str(reason)[:MESSAGE_CHARACTERS]
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
        "headers": list(_kept(record.headers, None if whole else KEPT_HEADERS_BYTES)),
        "key": key,
        "value": None if value is None else value[:MAX_VALUE_BYTES],
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
    return DeadLetter(key, encode("dead_letter", body), named, stage, type(reason).__name__)


def _stage(reason: Malformed) -> str:
    if isinstance(reason, Unreadable):
        return BATCH
    return SIZE if isinstance(reason, Oversized) else DECODE


def _kept(headers: Sequence[tuple[str, bytes | None]], most: int | None) -> Iterator[dict[str, object]]:
    for name, value in headers:
        if most is not None and (most := most - headers_bytes([(name, value)])) < 0:
            return
        yield {"key": name.encode("utf-8", "replace").decode(), "value": value}
