"""The ledger as ClickHouse holds it: `leaves` and `checkpoints` for ever, `decisions` until their TTL."""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cli.ledger.sources import Advance, Log, Stored, Wanted, ledger_record, misfit, take_checkpoint
from judgement.decision import bound_bytes
from ledger.records import Record, check_records
from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.connection import connect, errors_of
from sinks.rows import read_records
from sinks.tables import CHECKPOINTS, DECISIONS

SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.25
ADVANCE_ROWS = 1000

OURS = "log_id = {log_id:String} AND partition = {partition:Int32}"
EXTENTS = {
    "leaves": "SELECT log_id, partition, max(seq) + 1 FROM leaves GROUP BY log_id, partition",
    "decisions": "SELECT log_id, partition, max(seq) + 1 FROM decisions GROUP BY log_id, partition",
    "checkpoints": "SELECT log_id, partition, max(size) FROM checkpoints GROUP BY log_id, partition",
}
TTL_DAYS = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'decisions'"


class ClickHouseSource:
    """Reads up to the rows that were there when it was opened.

    The archive writes decisions and checkpoints on their own ways: opening waits up to 10 s until none of
    them is ahead of the others, so that a running archive does not look like a truncated log.

    Raises:
        PraetorError: the database is not migrated, or holds no ledger.
        Unavailable: ClickHouse does not answer.
    """

    name = "ClickHouse"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = connect(settings)
        with errors_of(settings):
            self._extents = self._settled()
            self._days = self._ttl_days()
        if not self._extents:
            raise PraetorError(
                f"ClickHouse database {settings.clickhouse_database} holds no ledger yet: `praetor archive`"
                " brings it there"
            )

    def logs(self) -> list[Log]:
        """Every log of which anything is here."""
        return sorted(self._extents)

    def work(self, log: Log) -> int:
        """Rows of decisions."""
        return self._end(log)

    def read(self, log: Log, wanted: Wanted, advance: Advance) -> Stored:
        """Read checkpoints and leaves, then decisions."""
        stored = Stored()
        if log not in self._extents:
            return stored
        with errors_of(self._settings):
            self._take_notes(log, stored)
            stored.leaves = self._leaves(log)
            if wanted.keep:
                stored.kept = self._kept(log, wanted)
            if wanted.records:
                self._check(log, stored, advance)
            else:
                advance(self.work(log))
        if self._extents[log].get("checkpoints", 0) > self._extents[log].get("leaves", 0):
            stored.remarks.append(
                "ClickHouse holds a checkpoint but not yet (or no longer) all the decisions under it; if"
                " `praetor archive` is behind, verify again when it has caught up"
            )
        return stored

    def newest(self, log: Log) -> dict[str, Any] | None:
        """The checkpoint of the greatest size."""
        with errors_of(self._settings):
            tail = f"WHERE {OURS} ORDER BY size DESC, received_at DESC LIMIT 1"
            return next(read_records(self._client, CHECKPOINTS, tail, log._asdict()), None)

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _end(self, log: Log) -> int:
        extents = self._extents.get(log, {})
        return max(extents.get("leaves", 0), extents.get("decisions", 0))

    def _settled(self) -> dict[Log, dict[str, int]]:
        give_up = time.monotonic() + SETTLE_SECONDS
        while True:
            extents = self._read_extents()
            if all(_is_level(one) for one in extents.values()) or time.monotonic() > give_up:
                return extents
            time.sleep(POLL_SECONDS)

    def _read_extents(self) -> dict[Log, dict[str, int]]:
        extents: dict[Log, dict[str, int]] = {}
        for table, sql in EXTENTS.items():
            for log_id, partition, extent in self._client.query(sql).result_rows:
                extents.setdefault(Log(log_id, partition), {})[table] = extent
        return extents

    def _ttl_days(self) -> int | None:
        rows = self._client.query(TTL_DAYS).result_rows
        found = re.search(r"TTL received_at \+ toIntervalDay\((\d+)\)", rows[0][0] if rows else "")
        return int(found[1]) if found else None

    def _take_notes(self, log: Log, stored: Stored) -> None:
        tail = f"WHERE {OURS} AND size <= {{end:Int64}} ORDER BY stored.received_at, size"
        values = log._asdict() | {"end": self._extents[log].get("checkpoints", 0)}
        for record in read_records(self._client, CHECKPOINTS, tail, values):
            take_checkpoint(
                stored, log, record, f"ClickHouse checkpoint of {log.origin} size {record['size']}"
            )

    def _leaves(self, log: Log) -> list[tuple[int, bytes]]:
        stream = self._client.query_row_block_stream(
            f"SELECT seq, leaf FROM leaves WHERE {OURS} AND seq < {{end:Int64}} ORDER BY seq",  # noqa: S608
            parameters=log._asdict() | {"end": self._end(log)},
            column_formats={"leaf": "bytes"},
        )
        with stream as blocks:
            return [(seq, leaf) for block in blocks for seq, leaf in block]

    def _kept(self, log: Log, wanted: Wanted) -> dict[int, bytes]:
        values = log._asdict() | {"seqs": list(wanted.keep)}
        rows = read_records(
            self._client, DECISIONS, f"WHERE {OURS} AND has({{seqs:Array(Int64)}}, seq)", values
        )
        return {decision["seq"]: bound_bytes(decision) for decision in rows}

    def _check(self, log: Log, stored: Stored, advance: Advance) -> None:
        expired = self._expired(log)
        seen: set[int] = set()
        records = self._records(log, stored, seen, advance)
        stored.records = check_records(
            log.origin, records, dict(stored.leaves), range(expired, self._end(log))
        )
        lost = sum(seq not in seen for seq in range(min(expired, self._end(log))))
        if lost:
            stored.remarks.append(
                f"{lost} decisions are older than the {self._days} days that the table keeps them and are no"
                " longer there: of those, only the leaves are verified"
            )

    def _records(self, log: Log, stored: Stored, seen: set[int], advance: Advance) -> Iterator[Record]:
        tail = f"WHERE {OURS} AND seq < {{end:Int64}}"
        decisions = read_records(self._client, DECISIONS, tail, log._asdict() | {"end": self._end(log)})
        for count, decision in enumerate(decisions, 1):
            if count % ADVANCE_ROWS == 0:
                advance(ADVANCE_ROWS)
            seen.add(decision["seq"])
            try:
                yield ledger_record(decision)
            except (KeyError, ValueError, TypeError) as error:
                stored.findings.append(misfit(log, decision["seq"], error))

    def _expired(self, log: Log) -> int:
        """Decisions that the table's TTL may have removed by now, by the time of checkpoints over them."""
        if self._days is None:
            return 0
        rows = self._client.query(
            f"SELECT max(size) FROM checkpoints WHERE {OURS} AND received_at < now() - toIntervalDay({{days:Int64}})",  # noqa: S608, E501
            parameters=log._asdict() | {"days": self._days},
        ).result_rows
        return int(rows[0][0] or 0)


def _is_level(extents: Mapping[str, int]) -> bool:
    leaves = extents.get("leaves", 0)
    return extents.get("decisions", leaves) == leaves and extents.get("checkpoints", 0) <= leaves
