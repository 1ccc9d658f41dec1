"""Stored actions from ClickHouse: `decisions` by agents, what was remembered of these from `snapshots`.

ClickHouse writes a row as Avro with the very bytes that the decision had: nothing is decoded on the way.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from urllib3.exceptions import HTTPError

from cli.backtest.containers import ONE_A_BLOCK, records
from cli.backtest.source import Kept, Window
from judgement.decision import TEXTS
from judgement.engine import READABLE
from judgement.lean import LEAN, LeanReader
from judgement.recorded import DecisionReader, Recorded
from runtime.errors import Malformed, PraetorError, Unavailable
from runtime.settings import Settings
from schemas.catalogue import Schema, newest
from sinks.connection import connect, errors_of
from sinks.rows import read_records
from sinks.tables import SNAPSHOTS
from streams.snapshots import snapshot_of

ASKED_AT_ONCE = 1_000
PATIENCE = 600

AT = "fromUnixTimestamp64Milli({{{0}:Int64}}, 'UTC')"
OURS = "log_id = {log_id:String}"
WITHIN = f"received_at >= {AT.format('begin')} AND received_at < {AT.format('until')}"
# as the primary key can be searched by: a comparison of pairs cannot everywhere
RANGE = (
    "tenant >= unhex({tenant_0:String}) AND tenant <= unhex({tenant_1:String})"
    " AND (tenant > unhex({tenant_0:String}) OR agent_id >= unhex({agent_0:String}))"
    " AND (tenant < unhex({tenant_1:String}) OR agent_id <= unhex({agent_1:String}))"
)
# erased: a digest without its text
LEAN_COLUMNS = {
    "misrouted": "toInt32(reasons.policy[1] = 'praetor' AND reasons.rule[1] = 'misrouted')",
    "erased": "toInt32(" + " OR ".join(f"({t}_digest IS NOT NULL AND {t} IS NULL)" for t in TEXTS) + ")",
}
KNOWN_BEFORE = (
    f"SELECT uniqExact(tenant, agent_id) FROM decisions WHERE {OURS} AND {RANGE}"  # noqa: S608
    f" AND received_at < {AT.format('begin')}"
    " AND has({agents:Array(String)}, concat(hex(tenant), '/', hex(agent_id)))"
)


class Connected:
    """A client that is kept from chunk to chunk."""

    def __init__(self, settings: Settings) -> None:
        """Connect."""
        self.client = connect(settings, patience=PATIENCE)

    def close(self) -> None:
        """Disconnect."""
        self.client.close()


@dataclass(frozen=True)
class Place:
    """A log in ClickHouse, a window of it, whether anything is kept from before, and verdicts are wanted."""

    settings: Settings
    log_id: str
    window: Window
    verdicts: bool
    earlier: bool = False

    def values(self) -> dict[str, Any]:
        """For queries."""
        return {"log_id": self.log_id, "begin": self.window.begin, "until": self.window.until}


@dataclass(frozen=True)
class AgentRange:
    """The actions of all agents from one to another, in the order of their names' bytes (in hex here)."""

    place: Place
    actions: int
    first: tuple[str, str]
    last: tuple[str, str]

    @contextmanager
    def open(self, kept: Kept) -> Iterator["AgentFeed"]:
        """Read what was remembered."""
        connected = kept.connection(Connected, lambda: Connected(self.place.settings))
        yield AgentFeed(self, connected.client)

    def values(self) -> dict[str, Any]:
        """For queries."""
        (tenant_0, agent_0), (tenant_1, agent_1) = self.first, self.last
        names = {"tenant_0": tenant_0, "agent_0": agent_0, "tenant_1": tenant_1, "agent_1": agent_1}
        return self.place.values() | names


class AgentFeed:
    """Reads a range, agent after agent."""

    grouped = True

    def __init__(self, of: AgentRange, client: Client) -> None:
        """Read the snapshots."""
        self._of = of
        self._client = client
        self._without: list[str] = []
        self._snapshots = self._read_snapshots()

    def stored(self) -> Iterator[Recorded]:
        """In the order of the table's key."""
        of = newest("decision")
        whole = self._of.place.verdicts
        reader = DecisionReader() if whole else LeanReader()
        sql = (
            f"SELECT {_columns(of, whole)} FROM decisions WHERE {OURS} AND {RANGE} AND {WITHIN}"  # noqa: S608
            " ORDER BY tenant, agent_id, received_at, partition, seq"
        )
        settings = self._of.place.settings
        with errors_of(settings):
            stream: Any = self._client.raw_stream(
                sql, parameters=self._of.values(), settings=dict(ONE_A_BLOCK), fmt="Avro"
            )
        try:
            for body in records(stream):
                yield reader.read(of.id, body)
        except Malformed as error:
            where = settings.clickhouse_database
            raise PraetorError(f"{where}.decisions holds a row that is no decision: {error}") from error
        except HTTPError as error:
            raise Unavailable(f"ClickHouse at {settings.clickhouse_url}: {error}; try again") from error
        finally:
            stream.close()

    def begin(self, first: Recorded) -> Mapping[str, bytes]:
        """The agent's snapshot that precedes this action."""
        action = first.action
        seq, cells = self._snapshots.get((action.tenant, action.agent_id), (first.seq + 1, {}))
        if seq <= first.seq:
            return cells
        self._without.append(f"{action.tenant.encode().hex()}/{action.agent_id.encode().hex()}".upper())
        return {}

    def unremembered(self) -> int:
        """Those that acted before without having left a snapshot."""
        found = 0
        if self._of.place.earlier:
            with errors_of(self._of.place.settings):
                for at in range(0, len(self._without), ASKED_AT_ONCE):
                    values = self._of.values() | {"agents": self._without[at : at + ASKED_AT_ONCE]}
                    found += self._client.query(KNOWN_BEFORE, values).result_rows[0][0]
        return found

    def _read_snapshots(self) -> dict[tuple[str, str], tuple[int, Mapping[str, bytes]]]:
        """By agent the first of the time that is read: its number, and the cells."""
        within = WITHIN.replace("received_at", "stored.received_at")
        order = "ORDER BY tenant, agent_id, seq LIMIT 1 BY tenant, agent_id"
        tail = f"WHERE {OURS} AND {RANGE} AND {within} {order}"
        found: dict[tuple[str, str], tuple[int, Mapping[str, bytes]]] = {}
        with errors_of(self._of.place.settings):
            for record in read_records(self._client, SNAPSHOTS, tail, self._of.values()):
                snapshot = snapshot_of(record)
                if snapshot.engine in READABLE:
                    found[record["tenant"], record["agent_id"]] = (snapshot.seq, snapshot.cells)
        return found


def _columns(of: Schema, whole: bool) -> str:
    """All of a decision; else its action and `LEAN`."""
    names = [field["name"] for field in of.definition["fields"]]
    wanted = names if whole else [*names[: names.index("effect")], *LEAN]
    return ", ".join(f"{LEAN_COLUMNS[n]} AS {n}" if n in LEAN_COLUMNS else f"`{n}`" for n in wanted)
