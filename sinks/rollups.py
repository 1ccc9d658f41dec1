"""Sums over decisions: which there are, whether they are right, and how they are made from what is there.

Views fill them with every insert of decisions (migration 0010). Rows that were there before the views are
filled in once, each partition's up to the first decision that a view has brought: an archive may go on
meanwhile. They hold nothing that decisions do not, so a backup leaves them out and a restore makes them anew.
"""

import time
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from sinks.comments import literal
from sinks.keeping import ttl_of

SETTLE_SECONDS = 1.0
TRIES = 5


@dataclass(frozen=True)
class Rollup:
    """A table of sums, the view that fills it, and the function that gives the beginning of its span."""

    name: str
    view: str
    begins: str


ROLLUPS = (
    Rollup("actions_by_minute", "decisions_to_minutes", "toStartOfMinute"),
    Rollup("actions_by_hour", "decisions_to_hours", "toStartOfHour"),
    Rollup("actions_by_day", "decisions_to_days", "toStartOfDay"),
    Rollup("rules_by_hour", "decisions_to_rules", "toStartOfHour"),
    Rollup("delays_by_hour", "decisions_to_delays", "toStartOfHour"),
)

ENDS = "SELECT log_id, partition, max(seq) + 1 FROM decisions GROUP BY log_id, partition"
BEGINS = "SELECT log_id, partition, min(first_seq) FROM {table:Identifier} GROUP BY log_id, partition"
DAYS = "SELECT DISTINCT toDate(received_at) FROM decisions ORDER BY 1"
SELECT = "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {view:String}"
KEPT = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"


@dataclass(frozen=True)
class Difference:
    """One day of a log's partition of which a table of sums counts otherwise than decisions."""

    table: str
    log_id: str
    partition: int
    day: str
    decisions: int
    summed: int


def fill(client: Client) -> None:
    """Make all sums from the decisions that are there. Safe to repeat, also after one that was cut off.

    Raises:
        PraetorError: they do not come to the same, as something else changes decisions or sums meanwhile.
    """
    for _ in range(TRIES):
        _fill(client)
        wrong = settled(client)
        if not wrong:
            return
    raise PraetorError(
        f"{wrong[0].table} does not come to what decisions hold ({len(wrong)} days differ): does another"
        " `praetor db migrate` run? Repeat this one alone"
    )


def _fill(client: Client) -> None:
    for rollup in ROLLUPS:
        client.command(f"TRUNCATE TABLE {rollup.name}")
    ends = {(str(log), int(p)): int(end) for log, p, end in client.query(ENDS).result_rows}
    if not ends:
        return
    # an insert that was seen in decisions alone is in the sums, too, by then
    time.sleep(SETTLE_SECONDS)
    days = [str(row[0]) for row in client.query(DAYS).result_rows]
    for rollup in ROLLUPS:
        begun = client.query(BEGINS, {"table": rollup.name}).result_rows
        first = {(str(log), int(p)): int(seq) for log, p, seq in begun}
        before = " OR ".join(
            f"(log_id = {literal(log)} AND partition = {p} AND seq < {min(end, first.get((log, p), end))})"
            for (log, p), end in ends.items()
        )
        select = str(client.query(SELECT, {"view": rollup.view}).result_rows[0][0])
        for day in days:
            within = f"toDate(received_at) = '{day}' AND ({before})"
            filters = {f"{client.database}.decisions": within}
            client.command(
                f"INSERT INTO {rollup.name} {select}",
                settings={"additional_table_filters": _map(filters), "insert_deduplicate": 0},
            )


def _map(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in values.items()) + "}"


def settled(client: Client) -> list[Difference]:
    """Differences that are still the same a moment later: an insert under way is none.

    Raises:
        clickhouse_connect.driver.exceptions.ClickHouseError: wrap with `sinks.connection.errors_of`.
    """
    found = set(differences(client))
    if found:
        time.sleep(SETTLE_SECONDS)
        found &= set(differences(client))
    return sorted(found, key=lambda d: (d.table, d.log_id, d.partition, d.day))


def differences(client: Client) -> list[Difference]:
    """Where sums and decisions differ, of what is past the time to keep in neither.

    Raises:
        clickhouse_connect.driver.exceptions.ClickHouseError: wrap with `sinks.connection.errors_of`.
    """
    return [found for rollup in ROLLUPS for found in _differences(client, rollup)]


def _differences(client: Client, rollup: Rollup) -> list[Difference]:
    kept = " AND ".join(f"({_ends(client, t)}) > now()" for t in ("decisions", rollup.name))
    sql = f"""
        SELECT log_id, partition, toString(toDate(at)) AS day, sum(decided), sum(summed) FROM (
            SELECT
                log_id, partition, tenant, {rollup.begins}(received_at) AS at, count() AS decided, 0 AS summed
            FROM decisions GROUP BY ALL
            UNION ALL
            SELECT log_id, partition, tenant, at, 0 AS decided, sum(actions) AS summed
            FROM {rollup.name} GROUP BY ALL
        ) WHERE {kept} GROUP BY ALL HAVING sum(decided) != sum(summed)
    """  # noqa: S608 - our own names, and ClickHouse's own words of how long it keeps
    return [Difference(rollup.name, *_typed(row)) for row in client.query(sql).result_rows]


def _typed(row: Any) -> tuple[str, int, str, int, int]:
    log_id, partition, day, decided, summed = row
    return str(log_id), int(partition), str(day), int(decided), int(summed)


def _ends(client: Client, table: str) -> str:
    """When a row's time is over, in terms of the beginning of its span."""
    ttl = ttl_of(str(client.query(KEPT, {"table": table}).result_rows[0][0]))
    return ttl.replace("received_at", "at") if ttl else "now() + 1"
