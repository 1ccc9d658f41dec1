"""What ClickHouse holds of a log's partition: how far, and by which insert of the archive."""

import re
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.export import INSERT
from sinks.tables import Table

OURS = "FROM {table:Identifier} WHERE log_id = {log_id:String} AND partition = {partition:Int32}"
ROWS = f"SELECT toInt64(count()), max(seq) + 1 {OURS}"
NEWEST = (
    f"SELECT archived_by {OURS} AND startsWith(archived_by, {{place:String}}) ORDER BY {INSERT} DESC LIMIT 1"
)
SPAN = re.compile(r"/(\d+)-(\d+)/\d+/\d+$")


class Span(NamedTuple):
    """The offsets of the first and last record of an insert."""

    first: int
    last: int


def numbered_end(client: Client, table: Table, log_id: str, partition: int) -> int | None:
    """The number after the last row of a numbered table; None where rows are missing, or there twice."""
    end = 0
    for name in (*table.derived, table.name):
        values = {"table": name, "log_id": log_id, "partition": partition}
        rows, after = client.query(ROWS, values).result_rows[0]
        after = int(after) if rows else 0
        # the table itself may have lost rows to its TTL
        if name in table.derived and rows != after:
            return None
        if name == table.name and after > end:
            return None
        end = max(end, after)
    return end


def newest_insert(client: Client, table: Table, topic: str, log_id: str, partition: int) -> Span | None:
    """The newest insert of which a table without numbers has rows; None where it has none."""
    place = f"{log_id}/{topic}/{partition}/"
    values = {"table": table.name, "log_id": log_id, "partition": partition, "place": place}
    rows = client.query(NEWEST, values).result_rows
    found = SPAN.search(str(rows[0][0])) if rows else None
    return Span(int(found[1]), int(found[2])) if found else None
