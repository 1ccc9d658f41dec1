"""The ledger as Kafka holds it: agent.decisions and agent.checkpoints."""

from collections.abc import Iterator
from typing import Any

from cli.ledger.sources import (
    Advance,
    Log,
    Stored,
    Wanted,
    ledger_record,
    misfit,
    misplaced,
    take_checkpoint,
)
from cli.ledger.topics import Topics
from judgement.decision import bound_bytes
from ledger.findings import Finding, Kind
from ledger.records import Record, check_records
from runtime.errors import Malformed, PraetorError
from schemas.codec import decode
from schemas.topics import CHECKPOINTS, DECISIONS

TAIL = 16


class KafkaSource:
    """Reads committed records from a log's beginning to the end that it has when reading begins.

    Checkpoints are read before decisions, so that what they sign is there.

    Raises:
        PraetorError: topics are missing, or agent.control names no log.
        Unavailable: no broker answers.
    """

    name = "Kafka"

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def logs(self) -> list[Log]:
        """A log for each partition."""
        return self._topics.logs

    def work(self, log: Log) -> int:
        """Offsets of the decisions' partition."""
        if log not in self._topics.logs:
            return 0
        start, end = self._topics.bounds(DECISIONS, log)
        return end - start

    def read(self, log: Log, wanted: Wanted, advance: Advance) -> Stored:
        """Read checkpoints, then decisions."""
        stored = Stored()
        if log not in self._topics.logs:
            return stored
        started_at = self._take_notes(log, stored)
        start, end = self._topics.bounds(DECISIONS, log)
        leaves: dict[int, bytes] = {}
        found = self._decisions(log, (start, end), stored, wanted, advance)
        if wanted.records:
            stored.records = check_records(log.origin, _noted(found, leaves), leaves)
        else:
            for _ in found:
                pass
        first = min(stored.leaves, default=(None, b""))[0]
        if start and first != 0:
            stored.gone = (
                f"offsets 0 to {start - 1} of {self._topics.name(DECISIONS)}/{log.partition} are no"
                f" longer in Kafka, and with them the decisions {_before(first)}: retention removes them"
                " (from here nobody can tell whether something else did). ClickHouse keeps every leaf and"
                " checkpoint: praetor ledger verify --from clickhouse"
            )
        elif started_at and stored.leaves and not stored.notes:
            stored.gone = (
                "its checkpoints are no longer in Kafka: retention removed them. ClickHouse keeps them all:"
                " praetor ledger verify --from clickhouse"
            )
        return stored

    def newest(self, log: Log) -> dict[str, Any] | None:
        """The last checkpoint on the topic."""
        if log not in self._topics.logs:
            return None
        start, end = self._topics.bounds(CHECKPOINTS, log)
        width = TAIL
        while True:
            begin = max(start, end - width)
            values = [r.value for r in self._topics.records(CHECKPOINTS, log, (begin, end))]
            if values:
                return _readable(values[-1], log)
            if begin == start:
                return None
            width *= 8

    def close(self) -> None:
        """Disconnect."""
        self._topics.close()

    def _take_notes(self, log: Log, stored: Stored) -> int:
        bounds = self._topics.bounds(CHECKPOINTS, log)
        for record in self._topics.records(CHECKPOINTS, log, bounds):
            place = f"{record.topic}/{record.partition} offset {record.offset}"
            try:
                take_checkpoint(stored, log, decode(record.value, "checkpoint"), place)
            except Malformed as error:
                stored.findings.append(Finding(Kind.BAD_CHECKPOINT, place, str(error)))
        return bounds[0]

    def _decisions(
        self, log: Log, bounds: tuple[int, int], stored: Stored, wanted: Wanted, advance: Advance
    ) -> Iterator[Record]:
        done = bounds[0]
        for record in self._topics.records(DECISIONS, log, bounds):
            if record.offset - done >= 1000:
                advance(record.offset - done)
                done = record.offset
            try:
                decision = decode(record.value, "decision")
            except Malformed as error:
                place = f"{record.topic}/{record.partition} offset {record.offset}"
                stored.findings.append(Finding(Kind.LEAF_MISMATCH, place, f"no decision: {error}"))
                continue
            seq = decision["seq"]
            before = stored.leaves[-1][0] if stored.leaves else seq
            stored.findings += misplaced(log, decision, before, record.offset)
            stored.leaves.append((seq, decision["leaf"]))
            try:
                if seq in wanted.keep:
                    stored.kept[seq] = bound_bytes(decision)
                if wanted.records:
                    yield ledger_record(decision)
            except (KeyError, ValueError, TypeError) as error:
                stored.findings.append(misfit(log, seq, error))
        advance(bounds[1] - done)


def _noted(records: Iterator[Record], leaves: dict[int, bytes]) -> Iterator[Record]:
    """Each record, once the leaf that it claims is in `leaves`: one pass is enough for both."""
    for record in records:
        leaves.setdefault(record.seq, record.leaf)
        yield record


def _before(first: int | None) -> str:
    return "before the first that is left" if first is None else f"0 to {first - 1}"


def _readable(value: bytes | None, log: Log) -> dict[str, Any]:
    try:
        return decode(value, "checkpoint")
    except Malformed as error:
        raise PraetorError(
            f"{log.origin}: the newest checkpoint cannot be read: {error}; praetor ledger verify says more"
        ) from error
