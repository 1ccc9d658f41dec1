"""A notification as an alert of Prometheus Alertmanager's API v2.

Source: Alertmanager's `api/v2/openapi.yaml` (postableAlerts). Labels are the alert's identity, so they hold
only what a group keeps from its first to its last notification; all else is annotations.
"""

from typing import Any

from sinks.formats.notice import causes, evidence, headline, moment, notice
from sinks.sink import Event

HOUR_MS = 3_600_000


def alerts(event: Event, labels: dict[str, str], active_hours: float) -> list[dict[str, Any]]:
    """The body of a request. An alert that is not resolved ends by itself after so many hours."""
    record = notice(event)
    resolved = record["action"] in ("resolve", "digest")
    ends = record["at"] if resolved else record["at"] + round(active_hours * HOUR_MS)
    return [
        {
            "labels": {
                **labels,
                "alertname": f"praetor-{record['kind']}",
                "group": record["group_id"],
                "route": record["route"],
            },
            "annotations": _annotations(event),
            "startsAt": moment(min(record["first_at"], ends)),
            "endsAt": moment(ends),
        }
    ]


def _annotations(event: Event) -> dict[str, str]:
    record = event.record
    return {
        "summary": headline(record),
        "description": record["text"],
        "severity": record["severity"],
        "agents": ", ".join(record["agents"]),
        "tenants": ", ".join(record["tenants"]),
        "rules": causes(record),
        "events": str(record["count"]),
        "evidence": "\n".join(evidence(record)),
        "done": "\n".join(record["done"]),
        "runbook": record["runbook"],
        "go_on_with": "\n".join(record["queries"]),
        "praetor_id": event.id,
    }
