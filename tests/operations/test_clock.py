"""A worker's clock may be hours off: nothing is refused or judged otherwise; only the broker's counts."""

from pathlib import Path

import pytest

from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.workers import Workers

OFF = "import time; real = time.time; time.time = lambda: real() + {}; from cli.main import main; main()"
PARTITIONS = 2


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_worker_whose_clock_is_off(hours: int, own_broker, tmp_path: Path) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    ends = await log.send(fleet(seed=3, count=200, partitions=PARTITIONS))
    prefix = await log.outputs()
    workers = Workers(own_broker.bootstrap, tmp_path / "keys", prefix, tmp_path)
    workers._argv[1:3] = ["-c", OFF.format(hours * 3600)]
    with workers:
        workers.start()
        async with log.following(prefix) as following:
            await following.reach(ends)
        workers.check()
    assert not violations(await log.records("agent.actions"), await log.read(prefix))
