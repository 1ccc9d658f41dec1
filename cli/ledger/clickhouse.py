"""The ledger as ClickHouse holds it: `leaves` and `checkpoints` for ever, `decisions` until their TTL."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from cli.ledger.sources import Advance, Log, Stored, Wanted, ledger_record, misfit, take_checkpoint
from cli.ledger.tables import Tables
from judgement.decision import bound_bytes
from ledger.records import Record, check_records
from runtime.errors import PraetorError

SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.25
ADVANCE_ROWS = 1000
ALTOGETHER = "another partition that vanished from here altogether, unless Kafka or a witness tells of it"


class ClickHouseSource:
    """Reads up to the rows that were there when it was opened.

    The archive writes decisions and checkpoints on their own ways: opening waits up to 10 s until none of
    them is ahead of the others, so that a running archive does not look like a truncated log.

    Raises:
        PraetorError: the database is not migrated, or holds no ledger.
        Unavailable: ClickHouse does not answer.
    """

    name = "ClickHouse"

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._extents = self._settled()
        self._days = tables.ttl_days()
        if not self._extents:
            raise PraetorError(
                f"ClickHouse database {tables.database} holds no ledger yet: `praetor archive` brings it"
                " there"
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
        stored.not_excluded.append(ALTOGETHER)
        signed = self._extents[log].get("checkpoints", 0)
        for record in self._tables.checkpoints(log, signed):
            place = f"ClickHouse checkpoint of {log.origin} size {record['size']}"
            take_checkpoint(stored, log, record, place)
        stored.leaves = self._tables.leaves(log, self._end(log))
        if wanted.keep:
            some = self._tables.some(log, wanted.keep)
            stored.kept = {decision["seq"]: bound_bytes(decision) for decision in some}
        if wanted.records:
            self._check(log, stored, advance)
        else:
            advance(self.work(log))
        if signed > self._extents[log].get("leaves", 0):
            stored.remarks.append(
                "ClickHouse holds a checkpoint but not yet (or no longer) all the decisions under it; if"
                " `praetor archive` is behind, verify again when it has caught up"
            )
        return stored

    def newest(self, log: Log) -> dict[str, Any] | None:
        """The checkpoint of the greatest size."""
        return self._tables.newest(log)

    def close(self) -> None:
        """Disconnect."""
        self._tables.close()

    def _end(self, log: Log) -> int:
        extents = self._extents.get(log, {})
        return max(extents.get("leaves", 0), extents.get("decisions", 0))

    def _settled(self) -> dict[Log, dict[str, int]]:
        give_up = time.monotonic() + SETTLE_SECONDS
        while True:
            extents = self._tables.extents()
            if all(_is_level(one) for one in extents.values()) or time.monotonic() > give_up:
                return extents
            time.sleep(POLL_SECONDS)

    def _check(self, log: Log, stored: Stored, advance: Advance) -> None:
        end = self._end(log)
        expired = 0 if self._days is None else min(self._tables.signed_before(log, self._days), end)
        seen: set[int] = set()
        records = self._records(log, stored, seen, advance)
        stored.records = check_records(log.origin, records, dict(stored.leaves), range(expired, end))
        lost = expired - sum(0 <= seq < expired for seq in seen)
        if lost:
            stored.remarks.append(
                f"{lost} decisions are older than the {self._days} days that the table keeps them and are no"
                " longer there: of those, only the leaves are verified"
            )
            stored.not_excluded.append(
                f"decisions deleted before they were {self._days} days old: the times of the checkpoints over"
                " those that are gone are not signed"
            )

    def _records(self, log: Log, stored: Stored, seen: set[int], advance: Advance) -> Iterator[Record]:
        for count, decision in enumerate(self._tables.decisions(log, self._end(log)), 1):
            if count % ADVANCE_ROWS == 0:
                advance(ADVANCE_ROWS)
            seen.add(decision["seq"])
            try:
                yield ledger_record(decision)
            except (KeyError, ValueError, TypeError) as error:
                stored.findings.append(misfit(log, decision["seq"], error))


def _is_level(extents: Mapping[str, int]) -> bool:
    leaves = extents.get("leaves", 0)
    return extents.get("decisions", leaves) == leaves and extents.get("checkpoints", 0) <= leaves
