"""Health of the real commands on a real broker: ready, frozen, stuck, asked to stop."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.embedded.services import Broker, ClickHouse
from runtime.settings import Settings
from sinks.migrate import migrate
from tests.operations.probing import GOVERN, Worker, listening
from tests.streams.fleet import fleet
from tests.streams.helpers import Log

PARTITIONS = 2

STUCK = """
import sys, time
import streams.pipeline
from runtime import health
health.Health.__init__.__defaults__ = (1.0,)
from cli.main import main

async def never(self, batch, checkpoint):
    if batch.decisions:
        {how}
    return await write(self, batch, checkpoint)

write = streams.pipeline.Writer.write
streams.pipeline.Writer.write = never
health.Watch.does.__defaults__ = (1.0,)
sys.argv = ["praetor", "govern"]
main()
"""


@pytest.fixture
async def log(own_broker: Broker, tmp_path: Path) -> AsyncIterator[Log]:
    yield await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()


async def environment(log: Log) -> dict[str, str]:
    return {
        "PRAETOR_BOOTSTRAP": log.bootstrap,
        "PRAETOR_KEYS_DIR": str(log.keys),
        "PRAETOR_TOPIC_PREFIX": await log.outputs(),
    }


async def test_a_worker_is_ready_once_it_judges_and_says_how_far_behind_it_is(
    log: Log, tmp_path: Path, own_broker: Broker
) -> None:
    env = await environment(log)
    await log.send(fleet(1, 300, PARTITIONS))
    with Worker(tmp_path / "log", env, *GOVERN) as worker:
        checks = (await asyncio.to_thread(worker.ready))["checks"]
        assert (checks["partitions"]["owned"], checks["partitions"]["taken_over"]) == (PARTITIONS, PARTITIONS)
        assert checks["control"]["bundle"]
        await asyncio.to_thread(
            worker.until, "/readyz", lambda s, b: b["checks"]["lag"]["partitions"] == {"0": 0, "1": 0}
        )
        assert worker.metric("praetor_decisions_total") + worker.metric("praetor_dead_letters_total") == 300

        # silence: not ready, for the reason it has; a restart would not help
        own_broker.freeze()
        try:
            body = await asyncio.to_thread(worker.until, "/readyz", lambda s, b: "broker" in b["failing"])
            assert "control" in body["failing"]
            assert worker.ask("/livez")[0] == 200
        finally:
            own_broker.thaw()
        await asyncio.to_thread(worker.ready)

        # a stop that the broker does not answer ends nevertheless
        own_broker.freeze()
        try:
            asked = time.monotonic()
            worker.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(worker.process.wait)
            assert time.monotonic() - asked < 20
        finally:
            own_broker.thaw()
    events = [event["event"] for event in worker.events()]
    assert events[0] == "govern starts"
    assert "did not stop within" in worker.events()[-1].get("reason", "") or events[-1] == "govern stopped"


async def test_a_second_signal_ends_it_at_once(log: Log, tmp_path: Path, own_broker: Broker) -> None:
    with Worker(tmp_path / "log", await environment(log), *GOVERN) as worker:
        await asyncio.to_thread(worker.ready)
        own_broker.freeze()
        try:
            worker.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(worker.until, "/readyz", lambda s, b: s == 503)
            worker.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.process.wait) == 1
        finally:
            own_broker.thaw()
    assert worker.events()[-1]["reason"] == "asked a second time"


@pytest.mark.parametrize(
    ("how", "problem"),
    [("time.sleep(600)", "event loop stands still"), ("await asyncio.sleep(600)", "writing a transaction")],
    ids=["loop", "partition"],
)
async def test_a_stuck_loop_is_not_live(log: Log, tmp_path: Path, how: str, problem: str) -> None:
    code = STUCK.format(how=how).replace("import sys, time", "import asyncio, sys, time")
    with Worker(tmp_path / "log", await environment(log), "-c", code) as worker:
        await asyncio.to_thread(worker.ready)
        assert worker.ask("/livez")[0] == 200
        await log.send(fleet(2, 50, PARTITIONS))
        body = await asyncio.to_thread(worker.until, "/livez", lambda s, b: s == 503)
        assert problem in " ".join(body["problems"])
        assert worker.ask("/metrics")[0] == 200


async def test_a_crash_and_a_message_are_one_json_line_each(log: Log, tmp_path: Path) -> None:
    with listening() as server:
        taken = {**(await environment(log)), "PRAETOR_METRICS_PORT": str(server.getsockname()[1])}
        worker = Worker(tmp_path / "taken", {}, *GOVERN)
        worker._env = taken
        with worker:
            assert await asyncio.to_thread(worker.process.wait) == 1
    assert [event["level"] for event in worker.events()] == ["error"]
    assert "PRAETOR_METRICS_PORT" in worker.events()[0]["reason"]

    code = (
        STUCK.format(how="1 / 0")
        .replace("import sys, time", "import sys, warnings")
        .replace("main()\n", "warnings.simplefilter('always')\nmain()\n")
    )
    with Worker(tmp_path / "crash", await environment(log), "-c", code) as crashing:
        await asyncio.to_thread(crashing.ready)
        await log.send(fleet(3, 50, PARTITIONS))
        assert await asyncio.to_thread(crashing.process.wait) == 1
    last = crashing.events()[-1]
    assert (last["event"], last["error"]) == ("crashed", "ZeroDivisionError: division by zero")
    assert "Traceback" in last["exception"]


async def test_the_archive_says_that_clickhouse_is_away_and_how_old_the_oldest_is(
    log: Log, tmp_path: Path, own_clickhouse: ClickHouse
) -> None:
    env = await environment(log) | {
        "PRAETOR_CLICKHOUSE_URL": own_clickhouse.url,
        "PRAETOR_CLICKHOUSE_DATABASE": "health",
    }
    settings = Settings(clickhouse_url=own_clickhouse.url, clickhouse_database="health")
    await asyncio.to_thread(migrate, settings)
    with Worker(tmp_path / "log", env, "-m", "cli.main", "archive") as worker:
        await asyncio.to_thread(worker.ready)
        own_clickhouse.kill()
        await log.judge(env["PRAETOR_TOPIC_PREFIX"], await log.send(fleet(4, 300, PARTITIONS)))
        body = await asyncio.to_thread(worker.until, "/readyz", lambda s, b: "clickhouse" in b["failing"])
        assert "does not answer" in body["checks"]["clickhouse"]["reason"]
        body = await asyncio.to_thread(
            worker.until, "/readyz", lambda s, b: b["checks"]["lag"]["oldest_seconds"] > 1
        )
        assert body["checks"]["lag"]["records"] > 0
        assert worker.metric("praetor_buffer_bytes") >= 0
        assert worker.metric("praetor_clickhouse_away_seconds") > 0
        assert worker.ask("/livez")[0] == 200
        own_clickhouse.start()
        await asyncio.to_thread(
            worker.until, "/readyz", lambda s, b: s == 200 and b["checks"]["lag"]["records"] == 0
        )
        assert worker.metric("praetor_archived_total") >= 300
        worker.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.process.wait) == 0
    assert all(event["level"] in ("info", "warning", "error") for event in worker.events())


async def test_the_age_of_what_nobody_judges_is_that_of_the_record(log: Log, tmp_path: Path) -> None:
    """Without a bundle nothing is judged: the oldest action is asked of the log."""
    env = await environment(log)
    keys = tmp_path / "few"
    shutil.copytree(log.keys, keys)
    public = keys / "control.pub"
    public.write_text(public.read_text().splitlines()[0] + "\n")
    await log.send(fleet(5, 20, PARTITIONS))
    with Worker(tmp_path / "log", env | {"PRAETOR_KEYS_DIR": str(keys)}, *GOVERN) as worker:
        body = await asyncio.to_thread(
            worker.until, "/readyz", lambda s, b: b["checks"].get("lag", {}).get("oldest_seconds", 0) > 2
        )
        assert body["checks"]["lag"]["records"] == 20
        assert body["failing"] == ["control"]
        assert body["checks"]["control"]["bundle"] is None
        assert worker.ask("/livez")[1]["doing"]["partition 0"].startswith("waiting for a bundle")
