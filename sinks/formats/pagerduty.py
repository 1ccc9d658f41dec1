"""A notification as an event of PagerDuty's Events API v2.

Source: PagerDuty's "Send an Alert Event": `dedup_key` ≤ 255 characters, `summary` ≤ 1024; severity is one of
critical, error, warning, info; an event is at most 512 KB.
"""

from typing import Any

from sinks.formats.notice import causes, cut, evidence, headline, moment, notice
from sinks.sink import Event

ACTIONS = {"acknowledge": "acknowledge", "resolve": "resolve"}
SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning"}
SUMMARY, KEY = 1024, 255


def message(event: Event, routing_key: str) -> dict[str, Any]:
    """The body of a request: trigger, acknowledge or resolve, by the group's id."""
    record = notice(event)
    action = ACTIONS.get(record["action"], "trigger")
    body: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": record["group_id"][-KEY:],
    }
    if action != "trigger":
        return body
    return body | {
        "client": "Praetor",
        "payload": {
            "summary": cut(headline(record), SUMMARY),
            "source": (record["agents"] or record["tenants"] or ["praetor"])[0],
            "severity": SEVERITIES.get(record["severity"], "info"),
            "timestamp": moment(record["last_at"]),
            "component": (record["agents"] or [""])[0],
            "group": (record["tenants"] or [""])[0],
            "class": record["kind"],
            "custom_details": _details(event),
        },
    }


def _details(event: Event) -> dict[str, Any]:
    record = event.record
    return {
        "id": event.id,
        "what": record["text"],
        "agents": record["agents"],
        "rules": causes(record),
        "events": record["count"],
        "new_events": record["fresh"],
        "evidence": evidence(record),
        "done": record["done"],
        "runbook": record["runbook"],
        "go_on_with": record["queries"],
        "tags": record["tags"],
        "reason": record["reason"],
    }
