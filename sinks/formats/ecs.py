"""ECS, the Elastic Common Schema 9.x: nested objects, our own fields under `praetor`."""

import json
from typing import Any

from sinks.formats.words import RANKS, iso, name_of, rule_of, sentence_of, signature_of, time_of
from sinks.sink import Event

VERSION = "9.2.0"
KINDS = {"decision": "event", "threat": "alert", "incident": "alert"}
TYPES = {"allow": "allowed", "deny": "denied", "modify": "change"}
CATEGORIES = {"file": "file", "shell": "process", "url": "web", "http": "web", "database": "database"}
SEVERITIES = (0, 21, 21, 47, 73, 99)
"""By our rank, as Elastic Security scores: low 21, medium 47, high 73, critical 99."""


def document(event: Event) -> dict[str, Any]:
    """The event as ECS has it; `event.id` is what a repetition is recognised by."""
    record = event.record
    found: dict[str, Any] = {
        "@timestamp": iso(time_of(event)),
        "ecs": {"version": VERSION},
        "message": sentence_of(event) or name_of(event),
        "event": {
            "id": event.id,
            "kind": KINDS[event.kind],
            "module": "praetor",
            "dataset": f"praetor.{event.kind}",
            "provider": "praetor",
            "severity": SEVERITIES[RANKS.get(record.get("severity", "unknown"), 0)],
            "category": ["intrusion_detection"],
            "type": ["info"],
            "code": signature_of(event),
        },
        "observer": {"vendor": "Praetor", "product": "Praetor", "type": "agent-governance"},
        "rule": {"name": signature_of(event)},
    }
    if event.kind == "decision":
        _decision(found, event)
    if event.kind == "incident":
        _incident(found, record)
    else:
        found["organization"] = {"id": record["tenant"]}
        found["user"] = {"id": f"{record['tenant']}/{record['agent_id']}", "name": record["agent_id"]}
        found["tags"] = list(record["tags"])
    found["praetor"] = _own(record)
    return found


def _decision(found: dict[str, Any], event: Event) -> None:
    record = event.record
    noun = record["action"].partition(":")[2]
    found["event"] |= {
        "action": record["action"],
        "category": [CATEGORIES.get(noun, "api")],
        "type": [TYPES.get(record["effect"], "info")],
        "outcome": "failure" if record["effect"] == "deny" else "success",
        "reason": sentence_of(event),
    }
    found["rule"] = {"name": rule_of(record) or "none", "ruleset": record["bundle"]}
    if noun == "file":
        found["file"] = {"path": record["resource"]}
    elif noun in ("url", "http"):
        found["url"] = {"original": record["resource"]}
    elif noun == "shell":
        found["process"] = {"command_line": record["resource"]}
    if record["trace_id"]:
        found["trace"] = {"id": record["trace_id"]}
    if record["span_id"]:
        found["span"] = {"id": record["span_id"]}


def _incident(found: dict[str, Any], record: dict[str, Any]) -> None:
    found["event"] |= {
        "action": f"incident-{record.get('change') or record['status']}",
        "start": iso(record["opened_at"]),
        "reason": found["message"],
    }
    if record.get("resolved_at") is not None:
        found["event"]["end"] = iso(record["resolved_at"])
    if record.get("tenant"):
        found["organization"] = {"id": record["tenant"]}
    if record.get("agents"):
        found["related"] = {"user": list(record["agents"])}
    found["tags"] = list(record.get("tags", ()))


def line(event: Event) -> bytes:
    """The same as one line of JSON."""
    return json.dumps(document(event), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _own(record: dict[str, Any]) -> dict[str, Any]:
    """Every field that is there, under its own name; bytes as hexadecimal digits."""
    found = {key: value for key, value in record.items() if value not in (None, "", [], {})}
    return {key: value.hex() if isinstance(value, bytes) else value for key, value in found.items()}
