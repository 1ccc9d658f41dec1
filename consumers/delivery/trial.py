"""An event that says of itself that it is a trial."""

import time
import uuid

from schemas.catalogue import newest
from schemas.codec import Record, decode_body, encode_body
from sinks.sink import Event


def trial_event() -> Event:
    """A threat of lowest severity, under an id of its own each time; it stands in no topic."""
    now = round(time.time() * 1000)
    name = str(uuid.uuid4())
    record: Record = {
        "log_id": "trial",
        "partition": 0,
        "source_offset": 0,
        "seq": 0,
        "received_at": now,
        "tenant": "praetor",
        "agent_id": "trial",
        "detector": "trial",
        "title": "Trial of a destination",
        "severity": "informational",
        "score": 0.0,
        "first_at": now,
        "last_at": now,
        "dedup_key": f"trial/{name}",
        "bundle": "",
        "message": "This event was sent to see whether it arrives. Nothing happened.",
    }
    of = newest("threat")
    whole = decode_body(of, encode_body(of, record))
    return Event("threat", f"trial/{name}", None, "", 0, 0, whole)
