"""A clock that is an hour off: it is told, and nothing is refused or judged otherwise."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.worker_report import ahead
from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.workers import Workers

OFF = "import time; real = time.time; time.time = lambda: real() + {}; from cli.main import main; main()"
PARTITIONS = 2
HOUR = 3600
SLACK = 60


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_worker_whose_clock_is_off(hours: int, own_broker, tmp_path: Path) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    ends = await log.send(fleet(seed=3, count=200, partitions=PARTITIONS))
    prefix = await log.outputs()
    workers = Workers(own_broker.bootstrap, tmp_path / "keys", prefix, tmp_path)
    workers._argv[1:3] = ["-c", OFF.format(hours * HOUR)]
    with workers:
        workers.start()
        async with log.following(prefix) as following:
            await following.reach(ends)
        told = json.loads(await workers.logged(0, "clock is not the broker's"))
        assert abs(told["ahead_seconds"] - hours * HOUR) < SLACK
        assert "NTP" in told["remedy"]
        found = doctor(log, prefix)["workers' clocks"]
        workers.check()
    assert found["state"] == "warning"
    (seconds,) = re.findall(r"by ([+-]\d+) s", found["found"])
    assert abs(int(seconds) - hours * HOUR) < SLACK
    assert "NTP" in found["remedy"] and "PraetorClockOff" in found["remedy"]
    # this machine's clock is the broker's; one that is behind sees decisions from the future
    assert doctor(log, prefix)["clock"]["state"] == "ok"
    behind = doctor(log, prefix, "-c", OFF.format(-HOUR))["clock"]
    assert behind["state"] == "failed" and "ahead of this machine's" in behind["found"]
    assert "NTP" in behind["remedy"]
    assert not violations(await log.records("agent.actions"), await log.read(prefix))


def doctor(log: Log, prefix: str, *python: str) -> dict[str, dict[str, Any]]:
    """What `praetor doctor` finds, by name."""
    environment = {
        "PRAETOR_BOOTSTRAP": log.bootstrap,
        "PRAETOR_KEYS_DIR": str(log.keys),
        "PRAETOR_TOPIC_PREFIX": prefix,
        "PRAETOR_CLICKHOUSE_URL": "http://127.0.0.1:1",
    }
    command = [sys.executable, *(python or ("-m", "cli.main")), "doctor", "--json"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_a_slow_answer_is_no_clock_that_is_off() -> None:
    assert [ahead(1_000, 9_000, at) for at in (1_000, 5_000, 9_000)] == [0, 0, 0]
    assert (ahead(9_000, 9_500, 2_000), ahead(1_000, 2_000, 9_000)) == (7, -7)
