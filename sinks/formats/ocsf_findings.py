"""OCSF: threats and incidents, as Detection Finding (2004), which SIEMs take for an alert."""

from typing import Any

from schemas.codec import Record
from sinks.formats.ocsf_objects import SEVERITIES, actor, head, metadata, place
from sinks.sink import Event

TECHNIQUES = ("AML.", "T1")
"""How tags begin that name techniques: MITRE ATLAS, ATT&CK."""

INCIDENT_STATES = {
    "open": (1, "New", 1),
    "acknowledged": (2, "In Progress", 2),
    "resolved": (4, "Resolved", 3),
}


CHANGES = {"opened": 1, "resolved": 3, "grew": 2, "escalated": 2, "acknowledged": 2, "responded": 2}
"""activity_id by why there is a record of an incident."""

INCIDENT_OWN = (
    "group_key",
    "group_by",
    "change",
    "revision",
    "sessions",
    "tools",
    "resources",
    "detectors",
    "threat_count",
    "denial_count",
    "response",
    "responses",
    "resolved_by",
)
"""What stands under `unmapped`, under our own names."""


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
        **_remediation(record),
        "message": record["message"] or record["title"],
        "unmapped": {**place(record), "bundle": record["bundle"]},
    }


def incident(event: Event) -> dict[str, Any]:
    """An incident, as a finding of many: Incident Finding (2005) asks for an assignee, which none has."""
    record = event.record
    status_id, status, by_status = INCIDENT_STATES.get(record["status"], (0, "Unknown", 0))
    activity_id = CHANGES.get(record.get("change", ""), by_status)
    return {
        **head(event, 2004, activity_id, record["severity"]),
        "activity_name": {0: "Unknown", 1: "Create", 2: "Update", 3: "Close"}[activity_id],
        "class_name": "Detection Finding",
        "category_name": "Findings",
        "metadata": metadata(event, ["security_control"]),
        "finding_info": _incident_info(record),
        "is_alert": True,
        "status_id": status_id,
        "status": status,
        "start_time": record["opened_at"],
        **({"end_time": record["resolved_at"]} if record.get("resolved_at") is not None else {}),
        **({"count": counted} if (counted := _counted(record)) else {}),
        **_evidences(record),
        **_remediation(record),
        "message": record.get("story") or record["title"],
        "unmapped": {name: record[name] for name in INCIDENT_OWN if record.get(name) not in (None, "", [])},
    }


def _incident_info(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uid": record["incident_id"],
        "title": record["title"],
        "created_time": record["opened_at"],
        "modified_time": record["updated_at"],
        "first_seen_time": record["opened_at"],
        "last_seen_time": record["updated_at"],
        "analytic": {"uid": "correlate", "name": "correlate", "type_id": 2, "type": "Behavioral"},
        "related_events": [{"uid": uid} for uid in record["members"]],
    }
    if record.get("story"):
        found["desc"] = record["story"]
    if record.get("tags"):
        found |= {"types": list(record["tags"]), "attacks": _attacks(record["tags"])}
    return found


def _counted(record: Record) -> int:
    return int(record.get("threat_count", 0)) + int(record.get("denial_count", 0))


def _evidences(record: Record) -> dict[str, Any]:
    """One for each agent; the events stand with the first."""
    agents = record.get("agents") or ()
    found: list[dict[str, Any]] = [{"actor": {"app_uid": a, "app_name": a}} for a in agents]
    if found and record.get("evidence"):
        found[0]["data"] = {"events": list(record["evidence"])}
    return {"evidences": found} if found else {}


def _remediation(record: Record) -> dict[str, Any]:
    return {"remediation": {"desc": record["runbook"]}} if record.get("runbook") else {}


def _attacks(tags: list[str]) -> list[dict[str, Any]]:
    """The techniques among the tags: MITRE ATLAS (`AML.…`) and ATT&CK (`T1…`)."""
    return [
        {"technique": {"uid": tag, "name": tag}, "version": "2026"}
        for tag in tags
        if tag.startswith(TECHNIQUES)
    ]
