"""One event of each kind, whole, as the newest schemas have them, and odd texts."""

from dataclasses import replace
from typing import Any

from schemas.catalogue import newest, schema
from schemas.codec import decode_body, encode_body
from schemas.topics import DECISIONS, INCIDENTS, THREATS
from sinks.sink import Event
from tests.sinks.helpers import START_MS, decision

ODD = ("a|b=c\\d", "line\nline\r\n", 'quote " ] end', "tab\tand\x00nul", "\u2028\u202e🦊", "")


def decided(**fields: Any) -> Event:
    record = whole("decision", decision(7, "log", **fields))
    return Event("decision", "log/0/7", b"acme/a", DECISIONS.name, 0, 9, record)


def threatened(**fields: Any) -> Event:
    record = {
        "log_id": "log",
        "partition": 0,
        "source_offset": 3,
        "seq": 2,
        "received_at": START_MS,
        "tenant": "acme",
        "agent_id": "a",
        "session_id": "s1",
        "detector": "denial-burst",
        "title": "Burst of denied actions",
        "severity": "high",
        "score": 0.97,
        "evidence": ["00000000-0000-0000-0000-000000000001"],
        "first_at": START_MS,
        "last_at": START_MS + 500,
        "tags": ["ASI10", "AML.T0053"],
        "dedup_key": "denial-burst/acme/a/1",
        "bundle": "sha256:0",
        "message": "5 actions were denied",
        "runbook": "Look at the agent's last actions.",
    }
    return Event("threat", "log/threat/0/3", b"acme/a", THREATS.name, 0, 3, whole("threat", record | fields))


def incident(**fields: Any) -> Event:
    record = {
        "log_id": "log",
        "incident_id": "inc-1",
        "group_key": "user/alice",
        "status": "open",
        "severity": "critical",
        "title": "Alice's agents leak keys",
        "opened_at": START_MS,
        "updated_at": START_MS + 900,
        "members": ["denial-burst/acme/a/1"],
        "response": "",
        "revision": 3,
        "change": "escalated",
        "tenant": "acme",
        "group_by": "user",
        "agents": ["a", "b"],
        "sessions": ["s1"],
        "tools": ["shell"],
        "resources": ["/srv/keys"],
        "detectors": [{"detector": "denial-burst", "title": "Burst", "severity": "high", "count": 4}],
        "threat_count": 4,
        "denial_count": 12,
        "evidence": ["00000000-0000-0000-0000-000000000001"],
        "tags": ["ASI10", "AML.T0053"],
        "responses": [
            {
                "kind": "quarantine",
                "target": "acme/a",
                "at": START_MS + 901,
                "dry_run": False,
                "control_offset": 12,
                "reason": "critical",
            }
        ],
        "story": "Two agents of alice were denied 12 times within 3 minutes.",
        "runbook": "Ask alice.",
        "resolved_at": None,
        "resolved_by": "",
    }
    found = whole("incident", record | fields)
    return Event("incident", "log/incident/0/5", b"inc-1", INCIDENTS.name, 0, 5, found)


def old_incident(**fields: Any) -> Event:
    """As the first version of its schema has it."""
    of, event = schema(401), incident(response="quarantined acme/a", **fields)
    known = {field["name"] for field in of.definition["fields"]}
    body = encode_body(of, {name: value for name, value in event.record.items() if name in known})
    return replace(event, record=decode_body(of, body))


def whole(name: str, record: dict[str, Any]) -> dict[str, Any]:
    """The record as it is read from Kafka."""
    of = newest(name)
    found: dict[str, Any] = decode_body(of, encode_body(of, record))
    return found


EVENTS = {"decision": decided, "threat": threatened, "incident": incident}
