"""Which questions are asked of a filled database, with which values, and how long the answers took."""

import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from cli.asking import values_of
from sinks.named import named

DAY = 86_400
SPANS = {"24 hours": 1, "30 days": 30}

QUESTIONS = (
    ("agent-actions", "tenant={tenant} agent={agent}"),
    ("why-denied", "tenant={tenant} agent={agent}"),
    ("why-denied", "tenant={tenant} event={event}"),
    ("denials", "tenant={tenant}"),
    ("resource-touched", "tenant={tenant} resource={resource}"),
    ("search", "tenant={tenant} text='{words}'"),
    ("rule-stops", "tenant={tenant} rule=try-{number}"),
    ("idle-rules", "tenant={tenant}"),
    ("cost", "tenant={tenant} by=model"),
    ("cost", "tenant={tenant} by=agent"),
    ("cost", "tenant={tenant} by=team"),
    ("cost", "tenant={tenant} by=day"),
    ("activity", "tenant={tenant} by=tool step=minute"),
    ("activity", "tenant={tenant} by=rule step=hour"),
    ("activity", "tenant={tenant} by=effect step=day"),
    ("delays", "tenant={tenant} by=tool"),
    ("session-timeline", "tenant={tenant} session={session}"),
    ("threats", "tenant={tenant}"),
    ("incidents", "tenant={tenant}"),
    ("blast-radius", "tenant={tenant} incident={incident}"),
    ("bypass", "tenant={tenant}"),
    ("bypass", "tenant={tenant} agent={agent}"),
    ("receipts", ""),
)

# tenants in turn, the largest as often as the smallest; of each, rows of the last day
SOME = """\
SELECT tenant, agent_id, session_id, toString(event_id), resource,
    arrayStringConcat(arraySlice(splitByChar(' ', ifNull(content, 'the policy')), 3, 2), ' ')
FROM decisions
WHERE received_at BETWEEN toDateTime({end:UInt32}) - INTERVAL 1 DAY AND toDateTime({end:UInt32})
    AND resource != ''
    AND cityHash64(event_id) % 97 = 0
LIMIT {n:UInt32} BY tenant
"""
INCIDENTS = "SELECT tenant, incident_id FROM incidents LIMIT 5 BY tenant"


@dataclass(frozen=True)
class Asked:
    """A question over a span of time: how often it was asked, the seconds, the most rows of an answer."""

    question: str
    span: str
    times: int
    median: float
    p95: float
    longest: float
    rows: int


def ask(client: Client, end: int, times: int) -> list[dict[str, Any]]:
    """Ask every question so many times over each span, each time of another tenant, with two threads."""
    some = client.query(SOME, {"end": end, "n": 1 + times // 10}).result_rows
    incidents = {str(tenant): str(number) for tenant, number in client.query(INCIDENTS).result_rows}
    return [
        asdict(
            _asked(
                client, question, keys, (span, end - days * DAY, end), list(_values(some, incidents, times))
            )
        )
        for question, keys in QUESTIONS
        for span, days in SPANS.items()
    ]


def _values(some: Any, incidents: dict[str, str], times: int) -> Iterator[dict[str, str]]:
    for number in range(times):
        tenant, agent, session, event, resource, words = some[number * len(some) // times]
        yield {
            "tenant": tenant,
            "agent": agent,
            "session": session,
            "event": event,
            "resource": resource,
            "words": words.replace("'", " "),
            "number": str(number % 20),
            "incident": incidents.get(tenant, "none"),
        }


def _asked(
    client: Client, question: str, keys: str, span: tuple[str, int, int], values: list[dict[str, str]]
) -> Asked:
    query = named(question)
    found = []
    for of in values:
        given = shlex.split(keys.format(**of))
        if "since" in query.types:
            given += [f"since={_iso(span[1])}", f"until={_iso(span[2])}"]
        bound = values_of(query, given)
        began = time.perf_counter()
        rows = len(client.query(query.sql, bound, settings={"max_threads": 2}).result_rows)
        found.append((time.perf_counter() - began, rows))
    seconds = sorted(second for second, _ in found)
    p95 = seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    shown = f"{question} {' '.join(key.partition('=')[0] for key in keys.split() if 'tenant' not in key)}"
    shown = f"{question} {keys}" if "by=" in keys else shown.strip()
    return Asked(
        shown, span[0], len(seconds), seconds[len(seconds) // 2], p95, seconds[-1], max(r for _, r in found)
    )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
