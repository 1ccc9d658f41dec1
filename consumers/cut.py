"""Cuts a run of records into the batches that ClickHouse takes: one schema and one month each.

Nothing is decoded but the ends of each run: within a partition `received_at` and `seq` never fall.
"""

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runtime.errors import Malformed, PraetorError
from schemas.catalogue import DECISIONS, IDS, Schema, schema
from schemas.codec import PREFIX_BYTES, Record, decode_body, split_frame
from sinks.batch import Batch
from sinks.tables import Table

# DateTime64's range: outside of it ClickHouse's toYYYYMM gives the nearest month within.
FIRST_MS = -2_208_988_800_000
LAST_MS = 10_413_791_999_999


@dataclass(frozen=True)
class Source:
    """A partition of an archived topic.

    Attributes:
        topic: its name on the broker, with prefix.
        partition: the number.
        log_id: the log whose records it must hold.
        table: where its records go.
    """

    topic: str
    partition: int
    log_id: str
    table: Table

    @property
    def place(self) -> str:
        """topic/partition."""
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True)
class Run:
    """Records of consecutive committed offsets: the values as they are on the broker, and their offsets."""

    values: Sequence[bytes]
    offsets: Sequence[int]


@dataclass(frozen=True)
class Cut:
    """A run, cut. Seqs are -1 where the table's rows have none. The same run always gives the same cut."""

    source: Source
    first_offset: int
    last_offset: int
    first_seq: int
    last_seq: int
    rows: int
    batches: tuple[Batch, ...]


def cut(source: Source, run: Run) -> Cut:
    """Cut a run that is not empty.

    Raises:
        PraetorError: a record that ClickHouse cannot take, a record of another log, or a gap in seq.
    """
    groups = group_by_schema(source, run)
    span = f"{run.offsets[0]}-{run.offsets[-1]}"
    batches = tuple(batch for of, places in groups for batch in _months(source, of, run, places, span))
    first_seq, last_seq = _check_seq(source, batches, len(run.values), span)
    return Cut(source, run.offsets[0], run.offsets[-1], first_seq, last_seq, len(run.values), batches)


def group_by_schema(source: Source, run: Run) -> list[tuple[Schema, Sequence[int]]]:
    """Return the indexes of each schema's records, in order of the schemas' first appearance.

    Raises:
        PraetorError: a record whose schema is not known, or not the table's.
    """
    prefix = run.values[0][:PREFIX_BYTES]
    if all(value.startswith(prefix) for value in run.values):
        return [(_schema_of(source, run, 0), range(len(run.values)))]
    places: dict[bytes, list[int]] = {}
    for index, value in enumerate(run.values):
        places.setdefault(value[:PREFIX_BYTES], []).append(index)
    return [(_schema_of(source, run, indexes[0]), indexes) for indexes in places.values()]


def _schema_of(source: Source, run: Run, index: int) -> Schema:
    place = f"{source.place} offset {run.offsets[index]}"
    try:
        schema_id, _ = split_frame(run.values[index])
    except Malformed as error:
        raise PraetorError(f"{place} cannot be archived: {error}") from error
    if schema_id not in IDS and schema_id not in DECISIONS:
        raise PraetorError(
            f"{place} has schema id {schema_id}, unknown to this version of praetor: upgrade the archive"
        )
    of = schema(schema_id)
    if of.name != source.table.record:
        raise PraetorError(f"{place} is a {of.name}; only {source.table.record} records belong there")
    return of


def _months(source: Source, of: Schema, run: Run, places: Sequence[int], span: str) -> list[Batch]:
    def record(at: int) -> Record:
        return _decode(source, of, run, places[at])

    found: list[Batch] = []
    start = 0
    while start < len(places):
        first = record(start)
        month = month_of(first["received_at"]) if source.table.dated else 0
        stop = _end_of_month(record, month, start, len(places)) if source.table.dated else len(places)
        last = record(stop - 1)
        _check_log(source, run, places[start], first)
        _check_log(source, run, places[stop - 1], last)
        bodies = [run.values[i][PREFIX_BYTES:] for i in places[start:stop]]
        token = f"{source.log_id}/{source.place}/{span}/{of.id}/{month}"
        found.append(Batch(source.table, of, bodies, token, first, last))
        start = stop
    return found


def _end_of_month(record: Callable[[int], Record], month: int, start: int, stop: int) -> int:
    """The first index of another month: most often the end, so that is looked at first."""
    if month_of(record(stop - 1)["received_at"]) == month:
        return stop
    return bisect.bisect_right(
        range(stop), month, lo=start, key=lambda at: month_of(record(at)["received_at"])
    )


def _decode(source: Source, of: Schema, run: Run, index: int) -> Record:
    try:
        return decode_body(of, run.values[index][PREFIX_BYTES:])
    except Malformed as error:
        raise PraetorError(
            f"{source.place} offset {run.offsets[index]} cannot be archived: {error}"
        ) from error


def _check_log(source: Source, run: Run, index: int, record: Record) -> None:
    # an incident names no partition
    partition = record.get("partition", source.partition)
    if record["log_id"] != source.log_id or partition != source.partition:
        raise PraetorError(
            f"{source.place} offset {run.offsets[index]} is of log {record['log_id']!r} partition "
            f"{partition}, not of log {source.log_id!r} partition {source.partition}: "
            "something else wrote to this topic"
        )


def _check_seq(source: Source, batches: Sequence[Batch], rows: int, span: str) -> tuple[int, int]:
    if not source.table.numbered:
        return -1, -1
    first = min(batch.first["seq"] for batch in batches)
    last = max(batch.last["seq"] for batch in batches)
    if last - first + 1 != rows:
        raise PraetorError(
            f"{source.place} offsets {span}: {rows} records hold seq {first} to {last}, that is "
            f"{last - first + 1} numbers: a gap or a repetition, which govern does not write. Not archived"
        )
    return int(first), int(last)


def month_of(ms: int) -> int:
    """YYYYMM (UTC) of milliseconds since 1970, as ClickHouse's toYYYYMM gives it."""
    at = datetime.fromtimestamp(min(max(ms, FIRST_MS), LAST_MS) // 1000, UTC)
    return at.year * 100 + at.month
