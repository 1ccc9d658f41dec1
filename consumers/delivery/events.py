"""From a record of Kafka to an event on its way out."""

from typing import Protocol

from runtime.errors import Malformed
from schemas.catalogue import DECISIONS, IDS, schema
from schemas.codec import Record, decode_body, split_frame
from sinks.sink import Event, Kind

KINDS: dict[str, Kind] = {
    "decision": "decision",
    "threat": "threat",
    "incident": "incident",
    "notification": "notification",
}
"""Which schema's records are delivered, as which kind."""


class Consumed(Protocol):
    """What delivering needs of a consumed record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def event_of(consumed: Consumed) -> Event:
    """Read a record whole.

    Raises:
        Malformed: it is none of what is delivered, or does not decode.
    """
    schema_id, body = split_frame(consumed.value)
    name = schema(schema_id).name if schema_id in IDS or schema_id in DECISIONS else ""
    if name not in KINDS:
        raise Malformed(f"schema id {schema_id} is nothing that is delivered; that are {', '.join(KINDS)}")
    record = decode_body(schema(schema_id), body)
    return Event(
        KINDS[name],
        _id(name, record, consumed),
        consumed.key,
        consumed.topic,
        consumed.partition,
        consumed.offset,
        record,
    )


def _id(name: str, record: Record, consumed: Consumed) -> str:
    """What stays the same however often the record is read: a decision by its number, others by offset."""
    if name == "decision":
        return f"{record['log_id']}/{record['partition']}/{record['seq']}"
    if name == "notification":
        return str(record["notification_id"])
    return f"{record['log_id']}/{name}/{consumed.partition}/{consumed.offset}"
