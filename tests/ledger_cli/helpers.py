"""A log that was judged and archived, copies of it that were tampered with, and the command itself."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner

from cli.main import app
from consumers.archive import Archive, Job
from consumers.partition import Pace
from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.codec import decode, encode
from schemas.topics import CHECKPOINTS, DECISIONS
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from tests.streams.fleet import fleet
from tests.streams.helpers import Log

NUMBERS = count(1)
PARTITIONS = 3
Values = dict[int, list[bytes]]


@dataclass
class Answer:
    """What a command came to; `error` is the message of one that a person can mend."""

    code: int
    out: str
    error: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def findings(self) -> list[tuple[str, str]]:
        """Kind and place of everything false."""
        return [
            (f["kind"], f["place"])
            for p in self.json["partitions"]
            for f in p["findings"]
            if not f["harmless"]
        ]


@dataclass
class Judged:
    """A log in Kafka under `prefix`, and in a ClickHouse database."""

    log: Log
    prefix: str
    settings: Settings
    decisions: Values = field(default_factory=dict)
    checkpoints: Values = field(default_factory=dict)

    @property
    def log_id(self) -> str:
        return self.log.view.log_id

    def sizes(self, partition: int) -> list[dict[str, Any]]:
        """The checkpoints of a partition."""
        return [decode(value, "checkpoint") for value in self.checkpoints[partition]]

    def env(self, prefix: str | None = None, database: str | None = None) -> dict[str, str]:
        return {
            "PRAETOR_BOOTSTRAP": self.log.bootstrap,
            "PRAETOR_CLICKHOUSE_URL": self.settings.clickhouse_url,
            "PRAETOR_CLICKHOUSE_DATABASE": database or self.settings.clickhouse_database,
            "PRAETOR_KEYS_DIR": str(self.log.keys),
            "PRAETOR_TOPIC_PREFIX": self.prefix if prefix is None else prefix,
        }

    def run(
        self,
        *arguments: str,
        prefix: str | None = None,
        database: str | None = None,
        env: dict[str, str] | None = None,
    ) -> Answer:
        """`praetor ledger …`."""
        return run(*arguments, env=env or self.env(prefix, database))

    def those_of(self, partition: int, wanted: Callable[[dict[str, Any]], Any]) -> list[int]:
        """The sequence numbers of decisions of a kind."""
        decisions = (decode(value, "decision") for value in self.decisions[partition])
        return [d["seq"] for d in decisions if wanted(d)]

    def tampered(self, decisions: Values | None = None, checkpoints: Values | None = None) -> str:
        """Topics of another prefix that hold these values; returns the prefix."""
        prefix = f"tampered{next(NUMBERS)}."
        held = {
            DECISIONS.name: decisions or self.decisions,
            CHECKPOINTS.name: checkpoints or self.checkpoints,
        }
        asyncio.run(_write(self.log, prefix, held))
        return prefix

    def edited(self, partition: int, edit: Callable[[list[bytes]], None], of: str = "decisions") -> str:
        """A copy in which one partition's values were edited; returns its prefix."""
        values = dict(getattr(self, of))
        values[partition] = list(values[partition])
        edit(values[partition])
        return self.tampered(**{of: values})

    def database(self) -> str:
        """A copy of the ClickHouse database; returns its name."""
        name = f"{self.settings.clickhouse_database}_{next(NUMBERS)}"
        migrate(self.settings.model_copy(update={"clickhouse_database": name}))
        for table in ("decisions", "checkpoints"):
            self.sql(name, f"INSERT INTO {table} SELECT * FROM {self.settings.clickhouse_database}.{table}")
        return name

    def sql(self, database: str, statement: str) -> None:
        client = connect(self.settings, database)
        client.command(statement, settings={"mutations_sync": 1})
        client.close()


def run(*arguments: str, env: dict[str, str]) -> Answer:
    result = CliRunner().invoke(app, ["ledger", *arguments], env={"COLUMNS": "200", **env})
    if isinstance(result.exception, PraetorError):
        return Answer(1, result.stdout, str(result.exception))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def in_a_process(*arguments: str, env: dict[str, str]) -> Answer:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "ledger", *arguments],
        env={"PATH": "", **env},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


async def _write(log: Log, prefix: str, held: dict[str, Values]) -> None:
    admin = AIOKafkaAdminClient(**log.options)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(prefix + name, log.partitions, 1) for name in held])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(**log.options)
    await producer.start()
    try:
        for name, values in held.items():
            for partition, of in values.items():
                for value in of:
                    await producer.send(prefix + name, value, partition=partition)
    finally:
        await producer.stop()


async def judge_and_archive(log: Log, settings: Settings, rounds: int, actions: int) -> Judged:
    """Judge some rounds of actions (each ends in a checkpoint) and archive everything."""
    await log.mint()
    prefix = await log.outputs()
    for seed in range(rounds):
        ends = await log.send(fleet(seed, actions, log.partitions))
        outputs = await log.judge(prefix, ends)
    judged = Judged(log, prefix, settings)
    judged.decisions = {p: [r.value for r in of] for p, of in outputs.decisions.items()}
    judged.checkpoints = {p: [r.value for r in of] for p, of in outputs.checkpoints.items()}
    migrate(settings)
    archive = Archive(log.options, ClickHouseSink(settings), Job(prefix, pace=Pace(dry=0.05, linger=0.2)))
    task = asyncio.create_task(archive.run())
    client = connect(settings)
    wanted = [sum(len(of) for of in held.values()) for held in (judged.decisions, judged.checkpoints)]
    sql = "SELECT (SELECT count() FROM decisions), (SELECT count() FROM checkpoints)"
    while list((await asyncio.to_thread(client.query, sql)).result_rows[0]) != wanted:
        assert not task.done(), await task
        await asyncio.sleep(0.1)
    client.close()
    archive.stop.set()
    await task
    return judged


def changed(value: bytes, **fields: Any) -> bytes:
    """A decision with other fields, as whoever can write to the topic would make it."""
    return encode("decision", decode(value, "decision") | fields)
