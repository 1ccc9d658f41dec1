"""The rows of the ledger's tables in ClickHouse, as they are; `cli.ledger.clickhouse` says what they mean."""

from collections.abc import Collection, Iterator
from typing import Any

from cli.ledger.sources import Log
from runtime.settings import Settings
from sinks.connection import connect, errors_of
from sinks.keeping import shortest_days
from sinks.rows import read_records
from sinks.tables import CHECKPOINTS, DECISIONS

OURS = "log_id = {log_id:String} AND partition = {partition:Int32}"
EXTENTS = {
    "leaves": "SELECT log_id, partition, max(seq) + 1 FROM leaves GROUP BY log_id, partition",
    "decisions": "SELECT log_id, partition, max(seq) + 1 FROM decisions GROUP BY log_id, partition",
    "checkpoints": "SELECT log_id, partition, max(size) FROM checkpoints GROUP BY log_id, partition",
}
TTL_DAYS = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'decisions'"


class Tables:
    """Reads `leaves`, `checkpoints` and `decisions`.

    Raises:
        PraetorError: the database is not migrated.
        Unavailable: ClickHouse does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self.database = settings.clickhouse_database
        self._settings = settings
        self._client = connect(settings)

    def extents(self) -> dict[Log, dict[str, int]]:
        """For each log and table that has any of it: the greatest sequence number + 1, or size."""
        extents: dict[Log, dict[str, int]] = {}
        with errors_of(self._settings):
            for table, sql in EXTENTS.items():
                for log_id, partition, extent in self._client.query(sql).result_rows:
                    extents.setdefault(Log(log_id, partition), {})[table] = extent
        return extents

    def ttl_days(self) -> int | None:
        """After how many days decisions may be removed; None: never."""
        with errors_of(self._settings):
            rows = self._client.query(TTL_DAYS).result_rows
        return shortest_days(rows[0][0]) if rows else None

    def checkpoints(self, log: Log, up_to: int) -> Iterator[dict[str, Any]]:
        """Checkpoints of sizes up to this one, in the order of their times, then sizes."""
        tail = f"WHERE {OURS} AND size <= {{end:Int64}} ORDER BY stored.received_at, size"
        with errors_of(self._settings):
            yield from read_records(self._client, CHECKPOINTS, tail, log._asdict() | {"end": up_to})

    def newest(self, log: Log) -> dict[str, Any] | None:
        """The checkpoint of the greatest size."""
        tail = f"WHERE {OURS} ORDER BY size DESC, received_at DESC LIMIT 1"
        with errors_of(self._settings):
            return next(read_records(self._client, CHECKPOINTS, tail, log._asdict()), None)

    def leaves(self, log: Log, end: int) -> list[tuple[int, bytes]]:
        """(sequence number, leaf) of those before `end`, in their order."""
        with errors_of(self._settings):
            stream = self._client.query_row_block_stream(
                f"SELECT seq, leaf FROM leaves WHERE {OURS} AND seq < {{end:Int64}} ORDER BY seq",  # noqa: S608
                parameters=log._asdict() | {"end": end},
                column_formats={"leaf": "bytes"},
            )
            with stream as blocks:
                return [(seq, leaf) for block in blocks for seq, leaf in block]

    def decisions(self, log: Log, end: int) -> Iterator[dict[str, Any]]:
        """Decisions before `end`, in any order."""
        tail = f"WHERE {OURS} AND seq < {{end:Int64}}"
        with errors_of(self._settings):
            yield from read_records(self._client, DECISIONS, tail, log._asdict() | {"end": end})

    def some(self, log: Log, seqs: Collection[int]) -> Iterator[dict[str, Any]]:
        """The decisions of these sequence numbers."""
        tail = f"WHERE {OURS} AND has({{seqs:Array(Int64)}}, seq)"
        with errors_of(self._settings):
            yield from read_records(self._client, DECISIONS, tail, log._asdict() | {"seqs": list(seqs)})

    def signed_before(self, log: Log, days: int) -> int:
        """The greatest size of a checkpoint whose row is older than so many days; 0: there is none."""
        sql = (
            f"SELECT max(size) FROM checkpoints WHERE {OURS}"  # noqa: S608
            " AND received_at < now() - toIntervalDay({days:Int64})"
        )
        with errors_of(self._settings):
            rows = self._client.query(sql, parameters=log._asdict() | {"days": days}).result_rows
        return int(rows[0][0] or 0)

    def close(self) -> None:
        """Disconnect."""
        self._client.close()
