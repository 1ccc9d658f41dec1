"""OCSF 1.8.0: a decision as the activity that it decides on, a threat as Detection Finding, an incident too.

Source: schema.ocsf.io/1.8.0, checked in tests by its own JSON Schema. What OCSF has no place for stands
under `unmapped`. Times are milliseconds. A decision's time is `received_at`, the broker's; what the producer
claims is `metadata.original_time`.
"""

import json
from typing import Any

from schemas.codec import Record
from sinks.formats.ocsf_classes import class_of
from sinks.formats.ocsf_findings import incident, threat
from sinks.formats.ocsf_objects import actor, head, metadata, place
from sinks.sink import Event

DISPOSITIONS = {
    "allow": (1, "Allowed", 1, "Allowed"),
    "deny": (2, "Denied", 2, "Blocked"),
    "modify": (4, "Modified", 11, "Corrected"),
    "require_approval": (99, "Approval required", 23, "Challenge"),
    "defer": (99, "Deferred", 14, "Delayed"),
    "unknown": (0, "Unknown", 0, "Unknown"),
}
"""By effect: action_id, action, disposition_id, disposition. What is only recorded is Observed and Logged."""
SHADOW = (3, "Observed", 17, "Logged")


def document(event: Event) -> dict[str, Any]:
    """The event as an OCSF object."""
    return {"decision": _decision, "threat": threat, "incident": incident}[event.kind](event)


def line(event: Event) -> bytes:
    """The same as one line of JSON."""
    return json.dumps(document(event), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _decision(event: Event) -> dict[str, Any]:
    record = event.record
    found, activity_id, activity = class_of(record["action"])
    profiles = ["security_control", *found.profiles, *["trace"] * bool(_trace(record, found.uid))]
    effect = DISPOSITIONS[record["effect"]] if record["policy_mode"] != "shadow" else SHADOW
    action_id, action, disposition_id, disposition = effect
    deciding = record["reasons"][0] if record["reasons"] else None
    return {
        **head(event, found.uid, activity_id, record["severity"]),
        "activity_name": activity,
        "class_name": found.name,
        "category_name": found.category,
        "metadata": metadata(event, profiles),
        "actor": actor(record),
        **found.own(record),
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "is_alert": record["effect"] == "deny" and record["policy_mode"] != "shadow",
        **({"message": deciding["message"]} if deciding and deciding["message"] else {}),
        **_policy(record),
        **(_model(record) if "ai_operation" in found.profiles else {}),
        **_trace(record, found.uid),
        **_status(record),
        "unmapped": _unmapped(record),
    }


def _policy(record: Record) -> dict[str, Any]:
    if not record["reasons"]:
        return {}
    first = record["reasons"][0]
    return {
        "policy": {
            "name": first["policy"],
            "uid": record["bundle"],
            "is_applied": record["effect"] != "allow",
        },
        "firewall_rule": {"name": first["rule"], "uid": f"{first['policy']}/{first['rule']}"},
    }


def _model(record: Record) -> dict[str, Any]:
    if not record["model"]:
        return {}
    tokens = {"prompt_tokens": record["input_tokens"], "completion_tokens": record["output_tokens"]}
    context = {
        "ai_role_id": 3,
        "ai_role": "Assistant",
        "application": {"name": record["agent_id"], "uid": record["agent_id"]},
        **tokens,
        "total_tokens": record["input_tokens"] + record["output_tokens"],
    }
    return {"ai_model": {"name": record["model"], "ai_provider": "Unknown"}, "message_context": context}


def _trace(record: Record, class_uid: int) -> dict[str, Any]:
    return {"trace": {"uid": record["trace_id"]}} if record["trace_id"] and class_uid in (6003, 4002) else {}


def _status(record: Record) -> dict[str, Any]:
    if record["outcome"] is None:
        return {}
    well = record["outcome"] == "ok"
    return {"status_id": 1 if well else 2, "status": "Success" if well else "Failure"}


SAID = (
    "on_behalf_of",
    "phase",
    "mode",
    "action",
    "effect",
    "policy_mode",
    "cost_usd",
    "size_bytes",
    "bundle",
)
ALSO = (
    "engine",
    "control_offset",
    "approval_id",
    "duplicate_of",
    "enforced_effect",
    "enforced_by",
    "decision_ref",
    "event_id",
    "parent_event_id",
    "span_id",
    "outcome",
    "model",
    "input_tokens",
    "output_tokens",
)
TEXTS = ("arguments", "content", "modified_arguments")


def _unmapped(record: Record) -> dict[str, Any]:
    """What OCSF has no place for, under our own names; what is absent is left out."""
    found = {name: record[name] for name in (*SAID, *ALSO, *TEXTS) if record.get(name) not in (None, "", 0)}
    found |= {"reasons": record["reasons"], "tags": record["tags"], "errors": record["errors"]}
    found |= {"limits_remaining": record["limits_remaining"], "labels": record["labels"]}
    return {**place(record), **found, "leaf": record["leaf"].hex()}
