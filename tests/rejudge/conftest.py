"""A log whose bundles changed while it was judged, archived; and the command on it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cli.main import app
from consumers.archive import Archive, Job
from consumers.place import Pace
from runtime.embedded.services import Broker
from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from tests.rejudge.bundles import remembering
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.reading import Outputs
from tests.streams.rich import mixed, rich

NUMBERS = count(1)
PARTITIONS, ROUNDS, ACTIONS, AGENTS = 2, 4, 1_600, 4


@dataclass
class Judged:
    log: Log
    prefix: str
    settings: Settings
    outputs: Outputs

    def told(self, *words: str, database: str = "", env: dict[str, str] | None = None) -> tuple[int, str]:
        """`praetor policy rejudge …`: its exit code, and what it or its error says."""
        known = {
            "COLUMNS": "200",
            "PRAETOR_BOOTSTRAP": self.log.bootstrap,
            "PRAETOR_CLICKHOUSE_URL": self.settings.clickhouse_url,
            "PRAETOR_CLICKHOUSE_DATABASE": database or self.settings.clickhouse_database,
            "PRAETOR_KEYS_DIR": str(self.log.keys),
            "PRAETOR_TOPIC_PREFIX": self.prefix,
        }
        result = CliRunner().invoke(app, ["policy", "rejudge", *words], env={**known, **(env or {})})
        if isinstance(result.exception, PraetorError):
            return 1, str(result.exception)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    def rows(self, sql: str, database: str = "") -> list[Any]:
        client = connect(self.settings, database or self.settings.clickhouse_database)
        try:
            return list(client.query(sql).result_rows)
        finally:
            client.close()

    def database(self, *changes: str) -> str:
        """A copy of the database, changed; returns its name."""
        name = f"{self.settings.clickhouse_database}_{next(NUMBERS)}"
        migrate(self.settings.model_copy(update={"clickhouse_database": name}))
        client = connect(self.settings, name)
        for table, columns in (("decisions", "*"), ("snapshots", "* EXCEPT archived_by")):
            into = table if columns == "*" else f"{table} (* EXCEPT(archived_by))"
            source = f"{self.settings.clickhouse_database}.{table}"
            client.command(f"INSERT INTO {into} SELECT {columns} FROM {source}")
        client.close()
        self.change(name, *changes)
        return name

    def change(self, database: str, *changes: str) -> None:
        client = connect(self.settings, database)
        for change in changes:
            client.command(change, settings={"mutations_sync": 1})
        client.close()


async def _judge(log: Log, prefix: str) -> Outputs:
    """One round after the other is sent; under each the bundle changes while it is being judged."""
    async with log.working(prefix) as worker, log.following(prefix) as following:
        for number in range(ROUNDS):
            await following.reach(await log.send(fleet(number, ACTIONS // 2, log.partitions, AGENTS)))
            published = await log.publish(remembering(number))
            while worker._control.view.offset < published:
                await asyncio.sleep(0.02)
            more = rich(number, log.partitions) if number % 2 else []
            ends = await log.send(
                mixed(number, fleet(100 + number, ACTIONS // 2, log.partitions, AGENTS), more)
            )
        await following.reach(ends)
    return await log.read(prefix)


async def _archive(log: Log, prefix: str, settings: Settings, outputs: Outputs) -> None:
    archive = Archive(log.options, ClickHouseSink(settings), Job(prefix, pace=Pace(dry=0.05, linger=0.2)))
    task = asyncio.create_task(archive.run())
    wanted = [sum(map(len, of.values())) for of in (outputs.decisions, outputs.snapshots)]
    client = connect(settings)
    sql = "SELECT (SELECT count() FROM decisions), (SELECT count() FROM snapshots)"
    while list((await asyncio.to_thread(client.query, sql)).result_rows[0]) != wanted:
        assert not task.done(), await task
        await asyncio.sleep(0.1)
    client.close()
    archive.stop.set()
    await task


async def _prepare(log: Log, settings: Settings) -> Judged:
    await log.mint()
    prefix = await log.outputs()
    outputs = await _judge(log, prefix)
    await asyncio.to_thread(migrate, settings)
    await _archive(log, prefix, settings, outputs)
    return Judged(log, prefix, settings, outputs)


@pytest.fixture(scope="package")
def log(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[Judged]:
    """Judged and archived. Tests change copies of its database alone."""
    folder: Path = tmp_path_factory.mktemp("rejudge")
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"rejudge_{uuid4().hex[:8]}")
    with Broker(folder / "kafka") as running:
        yield asyncio.run(_prepare(Log(running.bootstrap, folder / "keys", PARTITIONS), settings))


def sampled(log: Judged, *words: str, **how: Any) -> dict[str, Any]:
    code, said = log.told(*words, "--json", **how)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    assert code == (0 if found["equal"] == found["total"] > 0 else 1)
    return found
