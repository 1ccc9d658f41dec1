"""A record as it is, in JSON: Praetor's own field names, one object an event."""

import base64
import json
from typing import Any

from sinks.sink import Event


def document(event: Event) -> dict[str, Any]:
    """The event as a JSON object: `kind`, `id`, where it stands in Kafka, then the record's own fields.

    Bytes are base64 (RFC 4648); times are milliseconds since 1970, `occurred_at` microseconds, as in Avro.
    """
    place = {"topic": event.topic, "partition": event.partition, "offset": event.offset}
    return {"kind": event.kind, "id": event.id, "kafka": place, **_plain(event.record)}


def line(event: Event) -> bytes:
    """The same as one line without its end."""
    return json.dumps(document(event), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
