"""One log, however it is judged: the same bytes."""

import asyncio
from pathlib import Path
from random import Random

from runtime.embedded.services import Broker
from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.workers import Workers

ACTIONS = 50_000
PARTITIONS = 12


async def run(log: Log, logs: Path, workers: int, kills: int, ends: dict[int, int]) -> str:
    """Judge the whole log with some workers, `kills` of which are killed (and replaced) as it goes."""
    prefix = await log.outputs()
    rng = Random(workers)
    moments = sorted(rng.randrange(len(ends), sum(ends.values()) * 2 // 3) for _ in range(kills))
    with Workers(log.bootstrap, log.keys, prefix, logs / prefix) as processes:
        processes.start(workers)
        async with log.following(prefix) as following:
            while not following.reached(ends):
                await following.step()
                while moments and following.total() >= moments[0]:
                    moments.pop(0)
                    processes.kill(rng.randrange(workers - 1))
                    processes.start()
                processes.check()
            assert not moments
        for number in range(workers, workers + kills):  # else SIGTERM comes before its handler
            await processes.logged(number, "govern starts")
        for _ in range(workers):
            assert processes.stop() == 0
    return prefix


async def test_workers_and_kills_leave_no_trace(own_broker: Broker, tmp_path: Path) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    ends = await log.send(fleet(seed=3, count=ACTIONS, partitions=PARTITIONS))
    runs = (run(log, tmp_path, workers=w, kills=k, ends=ends) for w, k in ((1, 0), (2, 2), (4, 2)))
    prefixes = await asyncio.gather(*runs)
    source = await log.records("agent.actions")
    assert sum(map(len, source.values())) == ACTIONS
    calm = await log.read(prefixes[0])
    assert not violations(source, calm)
    assert sum(map(len, calm.dead_letters.values())) > ACTIONS // 100
    for prefix in prefixes[1:]:
        other = await log.read(prefix)
        for p in range(PARTITIONS):
            assert other.fixed(p) == calm.fixed(p)
