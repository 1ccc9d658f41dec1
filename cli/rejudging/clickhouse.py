"""Decisions and snapshots as ClickHouse holds them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.ledger.sources import Log
from cli.rejudging.stored import Stored
from runtime.settings import Settings
from schemas.codec import Record
from sinks.connection import connect, errors_of
from sinks.rows import read_records
from sinks.tables import DECISIONS, SNAPSHOTS, Table
from streams.snapshots import Snapshot, snapshot_of

OURS = "log_id = {log_id:String} AND partition = {partition:Int32}"
AGENT = f"{OURS} AND tenant = {{tenant:String}} AND agent_id = {{agent_id:String}}"
ASKED_AT_ONCE = 500
READ_AT_ONCE = 5_000


@dataclass
class _Held:
    """Decisions of one agent from one number to before another."""

    agent: bytes = b""
    first: int = 0
    end: int = 0
    found: list[Stored] = field(default_factory=list)

    def drop(self, before: int) -> None:
        """Forget those before a number."""
        self.first = before
        self.found = [one for one in self.found if one.seq >= before]


class ClickHouseStore:
    """One partition's rows of `decisions` and `snapshots`.

    Raises:
        PraetorError: the database is not migrated, or refuses.
        Unavailable: ClickHouse does not answer.
    """

    place = "ClickHouse"

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings = settings
        self._client = connect(settings)
        self._log = log
        self._snapshots: dict[bytes, list[Snapshot]] = {}
        self._last: dict[bytes, int] = {}
        self._held = _Held()
        with errors_of(settings):
            sql = f"SELECT count(), min(seq), max(seq) + 1 FROM decisions WHERE {OURS}"  # noqa: S608
            rows, first, end = self._client.query(sql, log._asdict()).result_rows[0]
        self._extent = (int(first), int(end)) if rows else (0, 0)
        self._whole = rows == end - first

    def extent(self) -> tuple[int, int]:
        """As it was when the store was opened."""
        return self._extent

    def decisions(self, seqs: Collection[int]) -> list[Stored]:
        """By number, some hundred a query."""
        wanted, found = sorted(seqs), []
        for at in range(0, len(wanted), ASKED_AT_ONCE):
            # in the text: as parameters they would not fit an address
            numbers = ", ".join(map(str, wanted[at : at + ASKED_AT_ONCE]))
            found += self._read(DECISIONS, f"WHERE {OURS} AND seq IN ({numbers}) ORDER BY seq", {})
        return [Stored(record) for record in found]

    def prepare(self, targets: Sequence[Stored]) -> None:
        """Read the snapshots of the agents."""
        self._last = {t.agent: t.seq for t in sorted(targets, key=lambda t: t.seq)}
        agents = {(t.record["tenant"], t.record["agent_id"]): t for t in targets}
        for target in agents.values():
            tail = f"WHERE {AGENT} ORDER BY seq"
            records = self._read(SNAPSHOTS, tail, _agent(target))
            self._snapshots[target.agent] = [snapshot_of(record) for record in records]

    def snapshots(self, target: Stored) -> list[Snapshot]:
        """As prepared."""
        return self._snapshots[target.agent]

    def of_agent(self, target: Stored, first: int, before: int) -> list[Stored]:
        """From what is held of the agent; what is read is held: its next decision needs what follows."""
        if first >= before:
            return []
        held = self._held
        if held.agent != target.agent or not held.first <= first <= held.end:
            held = self._held = _Held(target.agent, first, first)
        held.drop(first)
        while held.end < before:
            self._hold_more(held, target, max(before, self._last.get(target.agent, 0)))
        return [one for one in held.found if first <= one.seq < before]

    def _hold_more(self, held: "_Held", target: Stored, before: int) -> None:
        tail = (
            f"WHERE {AGENT} AND seq >= {{first:Int64}} AND seq < {{before:Int64}}"
            f" ORDER BY seq LIMIT {READ_AT_ONCE}"
        )
        values = {**_agent(target), "first": held.end, "before": before}
        more = [Stored(record) for record in self._read(DECISIONS, tail, values)]
        held.found += more
        held.end = before if len(more) < READ_AT_ONCE else more[-1].seq + 1

    def absent(self, first: int, before: int) -> int | None:
        """Looked for only where the partition has a hole at all."""
        if first >= before:
            return None
        if first < self._extent[0] or self._extent[1] < before:
            return first if first < self._extent[0] else max(first, self._extent[1])
        if self._whole:
            return None
        sql = (
            f"SELECT DISTINCT seq FROM decisions WHERE {OURS}"  # noqa: S608
            " AND seq >= {first:Int64} AND seq < {before:Int64} ORDER BY seq"
        )
        there = [int(row[0]) for row in self._ask(sql, {"first": first, "before": before})]
        return next((n for n, seq in enumerate([*there, before], first) if n != seq), None)

    def since(self, received_at: int, before: int) -> int:
        """By the smallest number of the time."""
        sql = (
            f"SELECT min(seq) FROM decisions WHERE {OURS} AND seq < {{before:Int64}}"  # noqa: S608
            " AND received_at >= fromUnixTimestamp64Milli({at:Int64}, 'UTC')"
        )
        return int(self._ask(sql, {"before": before, "at": received_at})[0][0])

    def earlier(self, target: Stored, before: int) -> int | None:
        """The newest one."""
        sql = (
            f"SELECT seq FROM decisions WHERE {AGENT} AND seq < {{before:Int64}}"  # noqa: S608
            " AND NOT (length(reasons) > 0 AND reasons[1].policy = 'praetor'"
            " AND reasons[1].rule = 'misrouted') ORDER BY seq DESC LIMIT 1"
        )
        rows = self._ask(sql, {**_agent(target), "before": before})
        return int(rows[0][0]) if rows else None

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _read(self, table: Table, tail: str, values: dict[str, Any]) -> list[Record]:
        with errors_of(self._settings):
            return list(read_records(self._client, table, tail, self._log._asdict() | values))

    def _ask(self, sql: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        with errors_of(self._settings):
            return self._client.query(sql, self._log._asdict() | values).result_rows


def _agent(target: Stored) -> dict[str, Any]:
    return {"tenant": target.record["tenant"], "agent_id": target.record["agent_id"]}
