"""Actions as rows of `decisions` in a real ClickHouse, and hunts there."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from detections.sigma.sql.hunt import Hunted, Scope, hunt_sql, unread_sql
from detections.sigma.sql.macros import SETTINGS
from runtime.settings import Settings
from schemas.action import Action
from schemas.catalogue import newest
from sinks.connection import connect
from sinks.migrate import migrate

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = 1_700_000_000_000
SCOPE = Scope(START - 10**9, START + 10**10)
_NUMBERS = count(1)


class Stored:
    """A database of its own."""

    def __init__(self, url: str) -> None:
        self.settings = Settings(
            clickhouse_url=url, clickhouse_database=f"hunt_{next(_NUMBERS)}_{uuid4().hex[:8]}"
        )
        self._seq = count()
        migrate(self.settings)
        self.client: Client = connect(self.settings)
        self.client.command("ALTER TABLE decisions REMOVE TTL")  # the actions of tests are old

    def insert(self, actions: Iterable[Action], **more: Any) -> None:
        """Store actions of one partition, in their order."""
        names = [field["name"] for field in newest("action_event").definition["fields"]]
        rows = []
        for action in actions:
            known = (
                {name: action.get(name) for name in names} | {"seq": next(self._seq), "log_id": "log"} | more
            )
            known["received_at"] = EPOCH + timedelta(milliseconds=action.received_at)
            rows.append(list(known.values()))
        places = [*names, "seq", "log_id", *more, "received_at"]
        self.client.insert("decisions", rows, column_names=places)

    def clear(self) -> None:
        self.client.command("TRUNCATE TABLE decisions")

    def hunt(self, name: str, of: Hunted, scope: Scope = SCOPE) -> list[tuple[str, int]]:
        """Event ids found, in order, and whether it fires there."""
        found = self.client.query(hunt_sql(name, of, scope, 1_000_000), settings=SETTINGS)
        at, fires = found.column_names.index("event"), found.column_names.index("fires")
        return [(row[at], row[fires]) for row in found.result_rows]

    def unread(self, name: str, of: Hunted, scope: Scope = SCOPE) -> int:
        rows: Sequence[Any] = self.client.query(unread_sql(name, of, scope), settings=SETTINGS).result_rows
        return int(rows[0][0])
