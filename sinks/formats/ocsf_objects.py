"""OCSF: what events of every class carry: severity, times, where they stand, who acted."""

from typing import Any

from schemas.codec import Record
from sinks.formats.words import time_of
from sinks.sink import Event

VERSION = "1.8.0"
PRODUCT = {"name": "Praetor", "vendor_name": "Praetor"}

SEVERITIES = {
    "unknown": (0, "Unknown"),
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}


def head(event: Event, class_uid: int, activity_id: int, severity: str) -> dict[str, Any]:
    """Class, activity, severity and time."""
    number, name = SEVERITIES[severity]
    return {
        "class_uid": class_uid,
        "category_uid": class_uid // 1000,
        "activity_id": activity_id,
        "type_uid": class_uid * 100 + activity_id,
        "severity_id": number,
        "severity": name,
        "time": time_of(event),
    }


def metadata(event: Event, profiles: list[str]) -> dict[str, Any]:
    """Who tells it, under which id, and where it stands in Kafka."""
    record = event.record
    found: dict[str, Any] = {
        "version": VERSION,
        "product": PRODUCT,
        "profiles": profiles,
        "uid": event.id,
        "log_name": event.topic,
        "sequence": event.offset,
    }
    if record.get("tenant"):
        found["tenant_uid"] = record["tenant"]
    if record.get("session_id"):
        found["correlation_uid"] = record["session_id"]
    if "occurred_at" in record:
        found["original_time"] = str(record["occurred_at"])
    return found


def actor(record: Record) -> dict[str, Any]:
    """The agent. 1.8.0 has no object for it: it is the application that acts; for whom it acts, the user."""
    found: dict[str, Any] = {"app_uid": record["agent_id"], "app_name": record["agent_id"]}
    if record.get("session_id"):
        found["session"] = {"uid": record["session_id"]}
    if record.get("on_behalf_of"):
        found["user"] = {"name": record["on_behalf_of"], "type_id": 0}
    if record.get("principal"):
        found["invoked_by"] = record["principal"]
    return found


def place(record: Record) -> dict[str, Any]:
    """Where it stands in the log, as far as it has a place of its own there."""
    return {key: record[key] for key in ("log_id", "partition", "source_offset", "seq") if key in record}
