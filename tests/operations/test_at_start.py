"""Workers that start while something is away: they say so once, in one line, and begin by themselves."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.embedded.services import Broker, ClickHouse
from runtime.settings import Settings
from sinks.connection import connect
from sinks.migrate import migrate
from tests.operations.probing import GOVERN, Worker
from tests.streams.fleet import fleet
from tests.streams.helpers import Log

ARCHIVE = ("-m", "cli.main", "archive")
PARTITIONS = 2
COUNT = 100


def waiting(worker: Worker) -> list[dict[str, Any]]:
    """What it has said, without the line that it starts, once it has said anything more."""
    worker.until("/readyz", lambda status, _: status == 503 and len(worker.events()) > 1)
    return worker.events()[1:]


async def test_away_at_the_start_is_one_line_and_no_end(
    own_broker: Broker, own_clickhouse: ClickHouse, tmp_path: Path
) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    prefix = await log.outputs()
    settings = Settings(clickhouse_url=own_clickhouse.url, clickhouse_database="start")
    await asyncio.to_thread(migrate, settings)
    env = {
        "PRAETOR_BOOTSTRAP": log.bootstrap,
        "PRAETOR_KEYS_DIR": str(log.keys),
        "PRAETOR_TOPIC_PREFIX": prefix,
        "PRAETOR_CLICKHOUSE_URL": settings.clickhouse_url,
        "PRAETOR_CLICKHOUSE_DATABASE": "start",
    }
    ends = await log.send(fleet(1, COUNT, PARTITIONS))
    own_broker.stop()
    own_clickhouse.stop()
    with Worker(tmp_path / "g", env, *GOVERN) as govern, Worker(tmp_path / "a", env, *ARCHIVE) as archive:
        await asyncio.sleep(3)  # several attempts: one line all the same
        for worker, said in (
            (govern, f"Kafka at {log.bootstrap} does not answer: is it running, and is the port right?"),
            (archive, "is it running, and is PRAETOR_CLICKHOUSE_URL right?"),
        ):
            (line,) = await asyncio.to_thread(waiting, worker)
            assert (line["event"], line["level"]) == ("waiting", "warning")
            assert said in line["reason"]
            assert worker.ask("/livez")[0] == 200
        await asyncio.to_thread(own_clickhouse.start)
        await asyncio.to_thread(archive.until, "/readyz", lambda *_: "Kafka" in str(archive.events()[-1]))
        own_broker.start()
        await asyncio.to_thread(govern.ready)
        await asyncio.to_thread(archive.ready)
        async with log.following(prefix) as following:
            await following.reach(ends)
        client = await asyncio.to_thread(connect, settings)
        while client.query("SELECT count() FROM decisions").result_rows[0][0] < COUNT - 10:
            await asyncio.sleep(0.1)
        client.close()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ClickHouse(tmp_path_factory.mktemp("locked"), password="right") as running:
        yield running.url


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CLICKHOUSE_PASSWORD": "wrong"}, "check PRAETOR_CLICKHOUSE_USER and PRAETOR_CLICKHOUSE_PASSWORD"),
        ({}, "praetor db migrate"),
        ({"CLICKHOUSE_URL": "nowhere"}, "http://host:8123 was expected"),
        ({"KAFKA_SASL_PASSWORD_FILE": "/absent"}, "/absent"),
        ({"METRICS_PORT": "no"}, "metrics_port: Input should be a valid integer"),
    ],
    ids=str,
)
def test_what_is_set_wrong_ends_an_archive_with_one_line(
    changes: dict[str, str], said: str, broker: str, locked: str, tmp_path: Path
) -> None:
    env = {"BOOTSTRAP": broker, "CLICKHOUSE_URL": locked, "CLICKHOUSE_PASSWORD": "right", **changes}
    variables = {f"PRAETOR_{name}": value for name, value in env.items()}
    done = subprocess.run(
        [sys.executable, *ARCHIVE],
        env={**os.environ, "PRAETOR_METRICS_PORT": "0", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if "archive starts" not in line]
    assert done.returncode == 1
    assert len(lines) == 1, done.stderr
    assert said in lines[0] and "Traceback" not in lines[0]
