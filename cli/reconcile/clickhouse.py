"""What ClickHouse holds of one partition. It sorts and groups: only runs and offsets travel."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.ledger.sources import Log
from cli.reconcile.numbers import Epoch, Producers
from cli.reconcile.offsets import DECISION_ROW, LETTER_ROW, Entry
from detections.source import CLOSING
from runtime.settings import Settings
from schemas.topics import ACTIONS
from sinks.connection import connect, errors_of
from sinks.keeping import shortest_days
from sinks.rollups import Difference, settled

WINDOW = 500_000
"""Rows that ClickHouse sorts at once."""

OURS = "log_id = {log_id:String} AND partition = {partition:Int32}"
GROUP = "tenant, agent_id, producer_id, producer_epoch"
NUMBERED = (
    f"{OURS} AND producer_id IS NOT NULL AND producer_seq >= 0 AND producer_epoch >= 0"
    " AND NOT (reasons[1].policy = 'praetor' AND reasons[1].rule = 'misrouted')"
)
WHOLE = "groupBitmap(toUInt64(producer_seq)) = toUInt64(max(producer_seq) - min(producer_seq)) + 1"
TTL_DAYS = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'decisions'"


class Rows:
    """Reads the tables of the archive. `since_ms`: what was received from then on alone; None: everything.

    Raises:
        PraetorError: ClickHouse refuses.
        Unavailable: it does not answer.
    """

    def __init__(self, settings: Settings, wanted: Mapping[str, str], since_ms: int | None) -> None:
        self._settings = settings
        self._client = connect(settings)
        self._values = {f"wanted_{name}": value for name, value in wanted.items()}
        self._filter = "".join(f" AND {name} = {{wanted_{name}:String}}" for name in wanted)
        self._since = ""
        if since_ms is not None:
            self._values["since"] = str(since_ms)
            self._since = " AND received_at >= fromUnixTimestamp64Milli({since:Int64})"

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def first_offset(self, log: Log) -> int | None:
        """The first action's offset of which a row is there, by --since; None where there is no row."""
        tails = [f"{table} WHERE {OURS}{self._since}" for table in ("decisions", "dead_letters")]
        found = [self._one(_select("count(), min(source_offset)", tail), log) for tail in tails]
        return min((first for count, first in found if count), default=None)

    def sums(self) -> list[Difference]:
        """Where tables of sums count otherwise than the decisions do."""
        with errors_of(self._settings):
            return settled(self._client)

    def expired(self, log: Log) -> int:
        """Decisions that the table's TTL may have removed by now, by the checkpoints over them."""
        with errors_of(self._settings):
            text = self._client.query(TTL_DAYS).result_rows[0][0]
        days = shortest_days(text)
        if days is None:
            return 0
        tail = f"checkpoints WHERE {OURS} AND received_at < now() - toIntervalDay({days})"
        return int(self._one(_select("max(size)", tail), log)[0] or 0)

    def decisions(self, log: Log, first_offset: int, next_seq: int) -> Iterator[Entry]:
        """Offset and seq of every decision before `next_seq`, of actions from an offset on."""
        ours = f"decisions WHERE {OURS} AND source_offset >= {first_offset} AND seq < {next_seq}"
        count, begin, last = self._one(_select("count(), min(seq), max(seq)", ours), log)
        for seq in range(begin, last + 1, WINDOW) if count else ():
            window = f"{ours} AND seq >= {seq} AND seq < {seq + WINDOW} ORDER BY source_offset, seq"
            for offset, number in self._stream(_select("source_offset, seq", window), log):
                yield offset, DECISION_ROW, number, True

    def letters(self, log: Log, first_offset: int, judged: int) -> Iterator[Entry]:
        """The offset of every dead letter of actions between two offsets."""
        ours = (
            f"{OURS} AND topic = '{ACTIONS.name}' AND source_offset BETWEEN {first_offset} AND {judged - 1}"
        )
        tail = f"dead_letters WHERE {ours} ORDER BY source_offset"
        for (offset,) in self._stream(_select("source_offset", tail), log):
            yield offset, LETTER_ROW, -1, True

    def tell(self, log: Log, producers: Producers) -> None:
        """Tell the numbers of all producers' decisions, as runs: one of an epoch without holes."""
        ours = f"decisions WHERE {NUMBERED}{self._filter}{self._since}"
        run = f"{GROUP}, min(producer_seq), max(producer_seq)"
        broken = _select(GROUP, f"{ours} GROUP BY {GROUP} HAVING NOT {WHOLE}")
        numbers = _select(f"DISTINCT {GROUP}, producer_seq", f"{ours} AND ({GROUP}) IN ({broken})")
        row = f"row_number() OVER (PARTITION BY {GROUP} ORDER BY producer_seq)"
        islands = _select(f"{GROUP}, producer_seq, producer_seq - {row} AS island", f"({numbers})")
        for tail in (f"{ours} GROUP BY {GROUP} HAVING {WHOLE}", f"({islands}) GROUP BY {GROUP}, island"):
            for *epoch, first, last in self._stream(_select(run, tail), log):
                producers.add(Epoch(*epoch), first, last)
        closing = f"{ours} AND action = '{CLOSING}' GROUP BY {GROUP}"
        for *epoch, count in self._stream(_select(f"{GROUP}, max(producer_seq)", closing), log):
            producers.close(Epoch(*epoch), count)

    def _one(self, sql: str, log: Log) -> Any:
        with errors_of(self._settings):
            return self._client.query(sql, parameters=log._asdict() | self._values).result_rows[0]

    def _stream(self, sql: str, log: Log) -> Iterator[Any]:
        parameters = log._asdict() | self._values
        with (
            errors_of(self._settings),
            self._client.query_row_block_stream(sql, parameters=parameters) as blocks,
        ):
            for block in blocks:
                yield from block


def _select(what: str, tail: str) -> str:
    """A statement of our own names and numbers; whatever a person gave is a parameter."""
    return f"SELECT {what} FROM {tail}"  # noqa: S608
