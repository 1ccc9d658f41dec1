"""Which questions are asked of a filled database, with which values, and how long the answers took."""

import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
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
    arrayStringConcat(arraySlice(splitByChar(' ', ifNull(content, 'all of the policy')), 3, 2), ' ')
FROM decisions
WHERE received_at BETWEEN toDateTime({end:UInt32}) - INTERVAL 1 DAY AND toDateTime({end:UInt32})
    AND resource != ''
    AND cityHash64(event_id) % 97 = 0
LIMIT {n:UInt32} BY tenant
"""
INCIDENTS = "SELECT tenant, incident_id FROM incidents LIMIT 5 BY tenant"


@dataclass(frozen=True)
class Asked:
    """A question over a span of time: how often it was asked, the seconds, the most rows of an answer.

    `cpu_p95`: of ClickHouse's processor time, two threads at most: on a machine that does other things too,
    what a person waits for is between half of it and all of it.
    """

    question: str
    span: str
    times: int
    median: float
    p95: float
    longest: float
    cpu_p95: float
    rows: int


def ask(client: Client, pid: int, end: int, times: int) -> list[dict[str, Any]]:
    """Ask every question so many times over each span, each time of another tenant, with two threads."""
    some = client.query(SOME, {"end": end, "n": 1 + times // 10}).result_rows
    incidents = {str(tenant): str(number) for tenant, number in client.query(INCIDENTS).result_rows}
    return [
        asdict(
            _asked(
                (client, pid),
                question,
                keys,
                (span, end - days * DAY, end),
                list(_values(some, incidents, times)),
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
            "words": words.replace("'", " ").strip() or "policy",
            "number": str(number % 20),
            "incident": incidents.get(tenant, "none"),
        }


def _asked(
    server: tuple[Client, int],
    question: str,
    keys: str,
    span: tuple[str, int, int],
    values: list[dict[str, str]],
) -> Asked:
    (client, pid), query = server, named(question)
    found, used = [], []
    for of in values:
        given = shlex.split(keys.format(**of))
        if "since" in query.types:
            given += [f"since={_iso(span[1])}", f"until={_iso(span[2])}"]
        bound = values_of(query, given)
        began, before = time.perf_counter(), _cpu(pid)
        rows = len(client.query(query.sql, bound, settings={"max_threads": 2}).result_rows)
        found.append((time.perf_counter() - began, rows))
        used.append(_cpu(pid) - before)
    seconds = [second for second, _ in found]
    shown = f"{question} {' '.join(key.partition('=')[0] for key in keys.split() if 'tenant' not in key)}"
    shown = f"{question} {keys}" if "by=" in keys else shown.strip()
    return Asked(
        shown,
        span[0],
        len(found),
        _at(seconds, 0.5),
        _at(seconds, 0.95),
        max(seconds),
        _at(used, 0.95),
        max(rows for _, rows in found),
    )


def _at(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 3)


def _cpu(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
