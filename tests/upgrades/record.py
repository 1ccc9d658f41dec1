"""Records what a version of Praetor writes, so that later ones can be seen to take it over.

It runs on the code of that version, not on this tree's, and uses only what that version has (engine 1 was
recorded of 6ba1f0b, engine 2 of 8183bf8, engine 3 of 5b88bb5):

    git worktree add ../old 6ba1f0b
    PYTHONPATH=../old .venv/bin/python tests/upgrades/record.py 1 tests/upgrades/engine1-seed1.avro
    git worktree remove ../old

A recording is an Avro object container: each committed record of every topic with its place and time, the
rows of ClickHouse's tables (`clickhouse:<table>`, format Native), the keys' files (`keys:<file>`; made for
the recording, used nowhere else). Seeds make the same actions each time; keys, log id and times are new.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import fastavro
from clickhouse_connect.driver.client import Client

from consumers.archive import Archive, Job
from runtime.embedded.services import Broker, ClickHouse
from runtime.settings import Settings
from schemas.topics import ACTIONS, ARCHIVE, CHECKPOINTS, CONTROL, DEAD_LETTERS, DECISIONS, STATE, THREATS
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from streams.topics import write_genesis
from tests.rejudge.bundles import remembering
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.reading import read_topics

PARTITIONS = 2
ROUNDS = 2
ACTIONS_A_ROUND = 40
AGENTS = 6
ARCHIVED = ("decisions", "threats", "dead_letters", "checkpoints")
TABLES = (*ARCHIVED, "migrations")
OUTPUTS = (DECISIONS, THREATS, DEAD_LETTERS, CHECKPOINTS, STATE, ARCHIVE)

RECORD = {
    "type": "record",
    "name": "Recorded",
    "fields": [
        {"name": "topic", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "timestamp", "type": "long"},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"]},
        {
            "name": "headers",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Header",
                    "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": "bytes"}],
                },
            },
        },
    ],
}


async def judge_and_archive(log: Log, settings: Settings, seed: int) -> None:
    """Judge some rounds of actions, each by a worker of its own, and archive them."""
    await log.mint()
    await log.publish(remembering(0))
    await write_genesis(log.options, log.view, "")
    for number in range(ROUNDS):
        ends = await log.send(fleet(100 * seed + number, ACTIONS_A_ROUND, log.partitions, AGENTS))
        outputs = await log.judge("", ends)
    archive = Archive(log.options, ClickHouseSink(settings), Job())
    task = asyncio.create_task(archive.run())
    held = (outputs.decisions, outputs.threats, outputs.dead_letters, outputs.checkpoints)
    wanted = [sum(map(len, of.values())) for of in held]
    counts = ", ".join(f"(SELECT count() FROM {table})" for table in ARCHIVED)
    client = connect(settings)
    while list((await asyncio.to_thread(client.query, f"SELECT {counts}")).result_rows[0]) != wanted:
        if task.done():
            await task
        await asyncio.sleep(0.1)
    client.close()
    await asyncio.sleep(1)  # so that the archive, now idle, commits that it is done
    archive.stop.set()
    await task


def plain(topic: str, partition: int = 0, value: bytes = b"") -> dict[str, Any]:
    """What is no record of a topic."""
    place = {"topic": topic, "partition": partition, "offset": 0, "timestamp": 0}
    return {**place, "key": None, "value": value, "headers": []}


async def recorded(log: Log) -> list[dict[str, Any]]:
    """Every committed record of every topic."""
    found = await read_topics(log.options, [t.name for t in (ACTIONS, *OUTPUTS)], log.partitions)
    found |= await read_topics(log.options, [CONTROL.name], 1)
    return [
        {
            "topic": topic,
            "partition": partition,
            "offset": r.offset,
            "timestamp": r.timestamp,
            "key": r.key,
            "value": r.value,
            "headers": [{"name": name, "value": value} for name, value in r.headers],
        }
        for topic, partitions in found.items()
        for partition, records in partitions.items()
        for r in records
    ]


def rows(client: Client) -> list[dict[str, Any]]:
    """The rows of every table."""
    return [
        plain(f"clickhouse:{t}", value=client.raw_query(f"SELECT * FROM {t}", fmt="Native")) for t in TABLES
    ]


def main(seed: int, to: Path) -> None:
    """Record one seed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Broker(folder / "kafka") as broker, ClickHouse(folder / "clickhouse") as clickhouse:
            settings = Settings(bootstrap=broker.bootstrap, clickhouse_url=clickhouse.url)
            migrate(settings)
            log = Log(broker.bootstrap, folder / "keys", PARTITIONS)
            asyncio.run(judge_and_archive(log, settings, seed))
            records = asyncio.run(recorded(log)) + rows(connect(settings))
        keys = [path for path in sorted((folder / "keys").rglob("*")) if path.is_file()]
        records += [
            plain(f"keys:{path.relative_to(folder / 'keys')}", value=path.read_bytes()) for path in keys
        ]
        with to.open("wb") as file:
            fastavro.writer(file, fastavro.parse_schema(RECORD), records, codec="xz", sync_interval=1 << 24)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
