"""ClickHouse as a destination: one synchronous insert a batch, safe to repeat."""

from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.batch import Batch
from sinks.connection import connect, errors_of
from sinks.container import container
from sinks.restoring import unfinished
from sinks.rollups import ROLLUPS
from sinks.tables import Table

# Larger than any batch, so that an insert is one block: one block is one part, and a part is all or nothing.
BLOCK_ROWS = 1_000_000

OURS = "FROM {table:Identifier} WHERE log_id = {log_id:String} AND partition = {partition:Int32}"
HOLDS = f"SELECT count() > 0 {OURS}"
HOLDS_SEQ = f"{HOLDS} AND seq = {{seq:Int64}}"
COUNT_BY_TOKEN = f"SELECT count() {OURS} AND archived_by = {{token:String}}"
COUNT_DERIVED = (
    f"SELECT count() {OURS} AND schema = {{schema:Int32}} AND seq BETWEEN {{first:Int64}} AND {{last:Int64}}"
)
# The time says nothing new: it spares reading other months.
COUNT_BY_SEQ = (
    f"{COUNT_DERIVED} AND received_at BETWEEN fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')"
    " AND fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
)
# A part's name says which inserts it holds: partition_first_last_level; one that was deduplicated counts too.
BLOCKS_SINCE = f"""\
WITH (
    SELECT min(toUInt64(splitByChar('_', _part)[2])) {OURS}
    AND seq BETWEEN {{first:Int64}} AND {{last:Int64}}
) AS begin
SELECT sum(last - greatest(first, begin) + 1) FROM (
    SELECT DISTINCT
        toUInt64(splitByChar('_', _part)[2]) AS first, toUInt64(splitByChar('_', _part)[3]) AS last
    FROM {{table:Identifier}}
) WHERE last >= begin
"""  # noqa: S608 - our own text
SUMS = tuple(rollup.name for rollup in ROLLUPS)
# how many inserts all tables remember that an insert of decisions fills
REMEMBERED = """\
SELECT min(if(startsWith(engine, 'Replicated'), 0, toInt64OrZero(
    extract(engine_full, 'non_replicated_deduplication_window = ([0-9]+)'))))
FROM system.tables WHERE database = currentDatabase() AND name IN {tables:Array(String)}
"""


class ClickHouseSink:
    """Inserts batches. Thread-safe between `open` and `close`.

    The same batch written again adds no row while the tables remember its token (their
    non_replicated_deduplication_window, in inserts). Not promised: that rows of `decisions` and of the tables
    derived from it appear at the same moment; a write that failed may leave one without the other, and the
    same write repeated completes it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None

    def open(self) -> None:
        """Connect.

        Raises:
            Unavailable: ClickHouse does not answer.
            PraetorError: it refuses: password, database; or it was restored, and that is not finished.
        """
        client = connect(self._settings)
        with errors_of(self._settings):
            why = unfinished(client)
        if why:
            client.close()
            raise PraetorError(f"database {self._settings.clickhouse_database} {why}")
        self._client = client

    def write(self, batch: Batch) -> None:
        """Insert a batch, and return once it is stored.

        Raises:
            Unavailable: whether it was stored is not known; write the same batch again.
            PraetorError: ClickHouse refuses, and would again.
        """
        names = [field["name"] for field in batch.schema.definition["fields"]]
        with errors_of(self._settings):
            self._opened().raw_insert(
                batch.table.name,
                names,
                container(batch.schema, batch.bodies),
                settings=insert_settings(batch.token),
                fmt="Avro",
            )

    def count(self, batch: Batch) -> tuple[int, ...]:
        """How many rows of the batch are stored: in its table, then in each table derived from it.

        Raises:
            Unavailable, PraetorError: as `write`.
        """
        table, values = batch.table, _place(batch)
        statements = [(table.name, COUNT_BY_SEQ if table.numbered else COUNT_BY_TOKEN)]
        statements += [(name, COUNT_DERIVED) for name in table.derived]
        with errors_of(self._settings):
            client = self._opened()
            counts = [client.command(sql, values | {"table": name}) for name, sql in statements]
        return tuple(int(str(count)) for count in counts)

    def remembers(self, batch: Batch) -> bool:
        """Whether a batch that is stored may be written again, to complete sums that an insert left undone.

        Told by how many inserts came after it, never too few: a part that was merged counts whole.

        Raises:
            Unavailable, PraetorError: as `write`.
        """
        table = batch.table
        if not table.summed:
            return False
        values = _place(batch) | {"table": table.derived[0]}
        with errors_of(self._settings):
            client = self._opened()
            remembered = client.command(REMEMBERED, {"tables": [table.name, *table.derived, *SUMS]})
            return 2 * int(str(client.command(BLOCKS_SINCE, values))) < int(str(remembered))

    def holds(self, table: Table, log_id: str, partition: int) -> bool:
        """Whether any row of a log's partition is there, in the table or one derived from it.

        Raises:
            Unavailable, PraetorError: as `write`.
        """
        values = {"log_id": log_id, "partition": partition}
        with errors_of(self._settings):
            client = self._opened()
            found = [client.command(HOLDS, values | {"table": name}) for name in (table.name, *table.derived)]
        return any(int(str(count)) for count in found)

    def holds_seq(self, table: Table, log_id: str, partition: int, seq: int) -> bool:
        """Whether the row of this number is there, in each table derived from `table` (they have no TTL).

        Raises:
            Unavailable, PraetorError: as `write`.
        """
        values = {"log_id": log_id, "partition": partition, "seq": seq}
        with errors_of(self._settings):
            client = self._opened()
            found = [client.command(HOLDS_SEQ, values | {"table": name}) for name in table.derived]
        return all(int(str(count)) for count in found)

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _opened(self) -> Client:
        if self._client is None:
            raise RuntimeError("open() was not called")
        return self._client


def insert_settings(token: str) -> dict[str, str | int]:
    """ClickHouse's settings for an insert that may be repeated.

    `archived_by` takes its value from log_comment: the rows of topics without seq are counted by it.
    """
    return {
        "insert_deduplicate": 1,
        "insert_deduplication_token": token,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
        "async_insert": 0,
        # made by merges instead: it costs more than all else of an insert
        "exclude_materialize_skip_indexes_on_insert": "by_words",
        "max_insert_block_size": BLOCK_ROWS,
        "min_insert_block_size_rows": BLOCK_ROWS,
        "log_comment": token,
    }


def _place(batch: Batch) -> dict[str, object]:
    place: dict[str, object] = {
        "log_id": batch.first["log_id"],
        "partition": batch.first["partition"],
        "token": batch.token,
        "schema": batch.schema.id,
    }
    if batch.table.numbered:
        place |= {"first": batch.first["seq"], "last": batch.last["seq"]}
        place |= {"from": batch.first["received_at"], "to": batch.last["received_at"]}
    return place
