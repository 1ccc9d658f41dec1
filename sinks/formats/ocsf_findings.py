"""OCSF: threats and incidents, as Detection Finding (2004), which SIEMs take for an alert."""

from typing import Any

from sinks.formats.ocsf_objects import SEVERITIES, actor, head, metadata, place
from sinks.sink import Event

TECHNIQUES = ("AML.", "T1")
"""How tags begin that name techniques: MITRE ATLAS, ATT&CK."""

INCIDENT_STATES = {
    "open": (1, "New", 1),
    "acknowledged": (2, "In Progress", 2),
    "resolved": (4, "Resolved", 3),
}


def threat(event: Event) -> dict[str, Any]:
    """What a detection found."""
    record = event.record
    number, _ = SEVERITIES[record["severity"]]
    return {
        **head(event, 2004, 1, record["severity"]),
        "activity_name": "Create",
        "class_name": "Detection Finding",
        "category_name": "Findings",
        "metadata": metadata(event, ["security_control"]),
        "finding_info": {
            "uid": record["dedup_key"],
            "title": record["title"],
            "desc": record["message"],
            "types": list(record["tags"]),
            "first_seen_time": record["first_at"],
            "last_seen_time": record["last_at"],
            "analytic": {"uid": record["detector"], "name": record["detector"], "type_id": 1, "type": "Rule"},
            "related_events": [{"uid": uid} for uid in record["evidence"]],
            "attacks": _attacks(record["tags"]),
        },
        "evidences": [{"actor": actor(record), "data": {"events": list(record["evidence"])}}],
        "is_alert": number >= SEVERITIES["medium"][0],
        "risk_score": round(record["score"] * 100),
        "confidence_score": round(record["score"] * 100),
        "status_id": 1,
        "status": "New",
        "action_id": 3,
        "action": "Observed",
        "disposition_id": 15,
        "disposition": "Detected",
        "message": record["message"] or record["title"],
        "unmapped": {**place(record), "bundle": record["bundle"]},
    }


def incident(event: Event) -> dict[str, Any]:
    """An incident, as a finding of many: Incident Finding (2005) asks for an assignee, which none has."""
    record = event.record
    status_id, status, activity_id = INCIDENT_STATES.get(record["status"], (0, "Unknown", 0))
    return {
        **head(event, 2004, activity_id, record["severity"]),
        "activity_name": {0: "Unknown", 1: "Create", 2: "Update", 3: "Close"}[activity_id],
        "class_name": "Detection Finding",
        "category_name": "Findings",
        "metadata": metadata(event, ["security_control"]),
        "finding_info": {
            "uid": record["incident_id"],
            "title": record["title"],
            "desc": record.get("story", ""),
            "created_time": record["opened_at"],
            "modified_time": record["updated_at"],
            "analytic": {"uid": "correlate", "name": "correlate", "type_id": 2, "type": "Behavioral"},
            "related_events": [{"uid": uid} for uid in record["members"]],
        },
        "is_alert": True,
        "status_id": status_id,
        "status": status,
        "message": record["title"],
        "unmapped": {"group_key": record["group_key"], "response": record["response"]},
    }


def _attacks(tags: list[str]) -> list[dict[str, Any]]:
    """The techniques among the tags: MITRE ATLAS (`AML.…`) and ATT&CK (`T1…`)."""
    return [
        {"technique": {"uid": tag, "name": tag}, "version": "2026"}
        for tag in tags
        if tag.startswith(TECHNIQUES)
    ]
