"""Divides a window of ClickHouse's `decisions` into ranges of agents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cli.backtest.clickhouse import AT, OURS, PATIENCE, WITHIN, AgentRange, Place
from cli.backtest.source import Window
from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.connection import connect, errors_of

CHUNKS_WANTED = 16
CHUNK_LEAST, CHUNK_MOST = 20_000, 100_000
"""Actions: what decides over chunks is the window alone, never who reads them. A query costs some 50 ms."""

LOGS = f"SELECT log_id FROM decisions WHERE {WITHIN} GROUP BY log_id ORDER BY max(received_at)"  # noqa: S608
EXTENT = "SELECT count(), toString(min(received_at)), toString(max(received_at)) FROM decisions"
BUNDLES = f"SELECT DISTINCT bundle FROM decisions WHERE {OURS} AND {WITHIN}"  # noqa: S608
EARLIER = (
    f"SELECT count() FROM (SELECT 1 FROM decisions WHERE {OURS}"  # noqa: S608
    f" AND received_at < {AT.format('begin')} LIMIT 1)"
)
CHUNKS = f"""
SELECT sum(n), hex((min((tenant, agent_id)) AS first).1), hex(first.2),
       hex((max((tenant, agent_id)) AS last).1), hex(last.2)
FROM
(
    SELECT tenant, agent_id, n, sum(n) OVER (ORDER BY tenant, agent_id ROWS UNBOUNDED PRECEDING) AS upto,
           greatest({{least:Int64}}, least({{most:Int64}}, intDiv(sum(n) OVER (), {{wanted:Int64}}))) AS size
    FROM
    (
        SELECT toString(tenant) AS tenant, agent_id, count() AS n
        FROM decisions WHERE {OURS} AND {WITHIN} GROUP BY tenant, agent_id
    )
)
GROUP BY intDiv(upto - n, size) ORDER BY first
"""  # noqa: S608


@dataclass(frozen=True)
class Plan:
    """What is to be read: chunks, the log, the digests of the bundles that its decisions name."""

    chunks: Sequence[AgentRange]
    log_id: str
    bundles: frozenset[str]


def plan_clickhouse(settings: Settings, window: Window, verdicts: bool, log_id: str = "") -> Plan:
    """Divide a window among workers; `log_id` names the log, else it is the newest in the window.

    Without `verdicts`, what was decided is not read.

    Raises:
        PraetorError: the window is empty, or the database is not migrated.
        Unavailable: ClickHouse does not answer.
    """
    client = connect(settings, patience=PATIENCE)
    with client, errors_of(settings):
        bounds: dict[str, Any] = {"begin": window.begin, "until": window.until}
        logs = [row[0] for row in client.query(LOGS, bounds).result_rows]
        if not logs or (log_id and log_id not in logs):
            raise PraetorError(_empty(settings, client.query(EXTENT).result_rows[0], log_id, logs))
        place = Place(settings, log_id or logs[-1], window, verdicts)
        place = replace(place, earlier=bool(client.query(EARLIER, place.values()).result_rows[0][0]))
        sizes = {"least": CHUNK_LEAST, "most": CHUNK_MOST, "wanted": CHUNKS_WANTED}
        rows = client.query(CHUNKS, place.values() | sizes).result_rows
        bundles = frozenset(row[0] for row in client.query(BUNDLES, place.values()).result_rows)
    chunks = [AgentRange(place, int(n), (t0, a0), (t1, a1)) for n, t0, a0, t1, a1 in rows]
    return Plan(chunks, place.log_id, bundles)


def _empty(settings: Settings, extent: Sequence[Any], log_id: str, logs: list[str]) -> str:
    where = f"ClickHouse database {settings.clickhouse_database}"
    rows, first, last = extent
    if not rows:
        return f"{where} holds no decision yet: `praetor archive` brings them there"
    if log_id and logs:
        return f"{where} holds no decision of log {log_id} in this window, but of {', '.join(logs)}"
    return f"{where} holds no decision in this window; it holds {rows}, received from {first} to {last} UTC"
