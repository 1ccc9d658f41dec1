"""How long rows are kept: by table and by tenant, as the tables' TTL.

A TTL goes by the broker's time, never by what a producer claims. The ledger (leaves, checkpoints) has none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from sinks.comments import literal

KEPT = """\
SELECT name, engine_full FROM system.tables
WHERE database = currentDatabase() AND name IN {tables:Array(String)} ORDER BY name
"""
TTL = re.compile(r"\bTTL (.+?)(?= SETTINGS\b|$)")
LEAST_DAYS, MOST_DAYS = 1, 36_500


@dataclass(frozen=True)
class Kept:
    """A table whose rows go after a time: by which column, and whether its rows are a tenant's."""

    table: str
    by: str
    tenants: bool = True


TABLES = (
    Kept("decisions", "received_at"),
    Kept("threats", "received_at"),
    Kept("snapshots", "received_at"),
    Kept("incidents", "updated_at"),
    Kept("dead_letters", "received_at", tenants=False),
    Kept("deliveries", "archived_at", tenants=False),
    Kept("actions_by_minute", "at"),
    Kept("actions_by_hour", "at"),
    Kept("actions_by_day", "at"),
    Kept("rules_by_hour", "at"),
    Kept("delays_by_hour", "at"),
)


def expression(kept: Kept, days: int, tenants: Mapping[str, int]) -> str:
    """The TTL of a table: so many days, other numbers for some tenants."""
    if not tenants or not kept.tenants:
        return f"{kept.by} + toIntervalDay({days})"
    own = ", ".join(f"tenant = {literal(name)}, {of}" for name, of in sorted(tenants.items()))
    return f"{kept.by} + toIntervalDay(multiIf({own}, {days}))"


def keep(client: Client, tables: list[str], days: int, tenants: Mapping[str, int]) -> None:
    """Set how long rows of these tables are kept. Rows that are past it go with the next merges.

    Raises:
        PraetorError: a table that keeps rows for ever or is none, or a number of days that cannot be.
    """
    known = {kept.table: kept for kept in TABLES}
    if wrong := [name for name in tables if name not in known]:
        raise PraetorError(f"{', '.join(wrong)}: rows go after a time only in {', '.join(known)}")
    if odd := [n for n in (days, *tenants.values()) if not LEAST_DAYS <= n <= MOST_DAYS]:
        raise PraetorError(f"{odd[0]} days: a number from {LEAST_DAYS} to {MOST_DAYS} is needed")
    for name in tables:
        of = known[name]
        # tenants' rows lie in one part: it cannot wait until all of it is past its time
        whole = int(not (tenants and of.tenants))
        client.command(f"ALTER TABLE {name} MODIFY SETTING ttl_only_drop_parts = {whole}")
        client.command(f"ALTER TABLE {name} MODIFY TTL {expression(of, days, tenants)}")


def kept(client: Client) -> dict[str, str]:
    """The TTL of each table, in ClickHouse's words."""
    rows = client.query(KEPT, {"tables": [of.table for of in TABLES]}).result_rows
    return {str(name): ttl_of(str(engine)) for name, engine in rows}


def ttl_of(engine: str) -> str:
    """The TTL in a table's engine; "" where there is none."""
    found = TTL.search(engine)
    return found[1] if found else ""


def shortest_days(engine: str) -> int | None:
    """The least number of days after which a row may be gone; None where none goes."""
    numbers = re.findall(r"(?<!\w)\d+", re.sub(r"'(?:[^'\\]|\\.|'')*'", "", ttl_of(engine)))
    return min(map(int, numbers), default=None)
