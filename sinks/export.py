"""A database's rows as files: what to read, one query a piece, so that each piece is whole and countable.

What is inserted meanwhile is left out by conditions that are fixed first (`Cut`): numbered rows below a
number up to which none is missing, other rows up to the archive's newest insert. So a piece holds as many
rows before it was read as after, and one that does not is read again.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from sinks.comments import literal
from sinks.connection import one_line
from sinks.tables import CHECKPOINTS, DECISIONS, TABLES

SETTLE_SECONDS = 45.0
POLL_SECONDS = 0.2
READ_BYTES = 1 << 20

STORED = """\
SELECT name, engine, partition_key, create_table_query, engine_full FROM system.tables
WHERE database = currentDatabase() ORDER BY name
"""
COLUMNS = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
LEAVES = "SELECT log_id, partition, toInt64(count()), max(seq) + 1 FROM leaves GROUP BY log_id, partition"
NEWEST = "SELECT log_id, partition, max(seq) + 1 FROM decisions GROUP BY log_id, partition"
INSERTS = "SELECT log_id, partition, max({insert}) FROM {table} GROUP BY log_id, partition"
HEADS = "SELECT log_id, partition, max(size) FROM checkpoints WHERE {within} GROUP BY log_id, partition"
# the first offset of the insert that brought a row (consumers.cut: its token)
INSERT = r"toInt64OrZero(extract(archived_by, '/(\\d+)-\\d+/\\d+/\\d+$'))"

Log = tuple[str, int]


@dataclass(frozen=True)
class Stored:
    """A table or view of the database, as ClickHouse describes it."""

    name: str
    engine: str
    partition_key: str
    create: str
    engine_full: str

    @property
    def is_view(self) -> bool:
        """Whether it has no rows of its own."""
        return self.engine.endswith("View")


@dataclass(frozen=True)
class Piece:
    """Rows of one table that one query gives: its condition, and a name for people and files."""

    table: str
    name: str
    condition: str


def read_tables(client: Client) -> list[Stored]:
    """Every table and view of the database.

    Raises:
        PraetorError: a table whose engine keeps no rows that a query gives twice alike.
    """
    tables = [Stored(*map(str, row)) for row in client.query(STORED).result_rows]
    odd = [f"{t.name} ({t.engine})" for t in tables if not t.is_view and "MergeTree" not in t.engine]
    if odd:
        raise PraetorError(f"these tables are no MergeTree and cannot be backed up: {', '.join(odd)}")
    return tables


def extents(client: Client) -> dict[Log, int]:
    """For each log's partition, the number below which no decision is missing in `decisions` and `leaves`.

    Where they are not level it waits for a running archive to make them so, at most 45 s. Then something was
    removed or added by hand: the greatest number counts, and everything that is there is kept.
    """
    level: dict[Log, int] = {}
    give_up = time.monotonic() + SETTLE_SECONDS
    while True:
        newest = {(str(log), int(p)): int(end) for log, p, end in client.query(NEWEST).result_rows}
        leaves = {(str(log), int(p)): (n, end) for log, p, n, end in client.query(LEAVES).result_rows}
        late = time.monotonic() > give_up
        for log in newest.keys() | leaves.keys():
            rows, end = leaves.get(log, (0, 0))
            if late or rows == end == newest.get(log, end):
                level.setdefault(log, max(end, newest.get(log, 0)))
        if newest.keys() | leaves.keys() <= level.keys():
            return level
        time.sleep(POLL_SECONDS)


class Cut:
    """What of each table belongs to the backup; fixed when it is made."""

    def __init__(self, client: Client) -> None:
        self.extents = extents(client)
        self._client = client
        self._inserts: dict[str, dict[Log, int]] = {}
        for table in TABLES:
            if not table.numbered:
                sql = INSERTS.format(insert=INSERT, table=table.name)
                rows = client.query(sql).result_rows
                self._inserts[table.name] = {(str(log), int(p)): int(last) for log, p, last in rows}

    def pieces(self, table: Stored) -> list[Piece]:
        """The table's rows in pieces: by month, or by log; the newest month first.

        In that order, as an insert that spans two months fills the earlier one first: what is here of the
        later month is then never without its part of the earlier.
        """
        condition = self._condition(table.name)
        if table.partition_key:
            sql = "SELECT DISTINCT _partition_id FROM {table:Identifier} ORDER BY 1 DESC"
            ids = [str(row[0]) for row in self._client.query(sql, {"table": table.name}).result_rows]
            return [
                Piece(table.name, f"{table.name}-{i}", f"_partition_id = {literal(i)} AND ({condition})")
                for i in ids
            ]
        return list(self._by_log(table.name, condition))

    def _by_log(self, table: str, condition: str) -> Iterator[Piece]:
        columns = {str(row[0]) for row in self._client.query(COLUMNS, {"table": table}).result_rows}
        if not {"log_id", "partition"} <= columns:
            yield Piece(table, table, condition)
            return
        sql = "SELECT DISTINCT log_id, partition FROM {table:Identifier} ORDER BY 1, 2"
        for number, (log_id, partition) in enumerate(self._client.query(sql, {"table": table}).result_rows):
            place = f"log_id = {literal(str(log_id))} AND partition = {int(partition)}"
            yield Piece(table, f"{table}-{number:05d}", f"{place} AND ({condition})")

    def _condition(self, table: str) -> str:
        column, limits = "1", self._inserts.get(table, {})
        if table in (DECISIONS.name, *DECISIONS.derived):
            column, limits = "seq", {log: end - 1 for log, end in self.extents.items()}
        elif table in self._inserts:
            column = INSERT
        return "1" if column == "1" else _up_to(column, limits)

    def heads(self) -> dict[Log, int]:
        """The size of each log's newest checkpoint that is in the backup and over decisions that are."""
        within = f"({self._condition(CHECKPOINTS.name)}) AND ({_up_to('size', self.extents)})"
        rows = self._client.query(HEADS.format(within=within)).result_rows
        return {(str(log), int(p)): int(size) for log, p, size in rows}


def _up_to(column: str, limits: dict[Log, int]) -> str:
    parts = [
        f"(log_id = {literal(log_id)} AND partition = {partition} AND {column} <= {limit})"
        for (log_id, partition), limit in sorted(limits.items())
    ]
    return " OR ".join(parts) or "0"


def count(client: Client, piece: Piece) -> int:
    """How many rows a piece has."""
    sql = f"SELECT count() FROM {{table:Identifier}} WHERE {piece.condition}"  # noqa: S608
    return int(str(client.command(sql, {"table": piece.table})))


def read(client: Client, piece: Piece) -> Iterator[bytes]:
    """Stream the rows of a piece in ClickHouse's format Native.

    Raises:
        PraetorError: the query failed half-way.
        clickhouse_connect.driver.exceptions.ClickHouseError, OSError: the connection broke.
    """
    sql = f"SELECT * FROM {{table:Identifier}} WHERE {piece.condition}"  # noqa: S608
    stream: Any = client.raw_stream(sql, {"table": piece.table}, fmt="Native")
    tail = b""
    try:
        while part := stream.read(READ_BYTES):
            yield part
            tail = (tail + part)[-READ_BYTES:]
    finally:
        stream.close()
    if b"\r\n__exception__\r\n" in tail:
        said = tail.rpartition(b"\r\n__exception__\r\n")[0].rpartition(b"__exception__\r\n")[2]
        raise PraetorError(
            f"reading {piece.name} failed: {one_line(Exception(said.decode(errors='replace')))}"
        )
