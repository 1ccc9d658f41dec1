"""One log, however it is judged: the same bytes."""

import asyncio
from pathlib import Path
from random import Random

from runtime.embedded.services import Broker
from schemas.codec import decode
from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.rich import mixed, remembering_most, rich
from tests.streams.workers import Workers

ACTIONS = 30_000
PARTITIONS = 12
KINDS = 25
"""So many kinds of threats there are at least."""


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
    """With all that keeps something of agents on, and traffic in which it finds what it can."""
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    await log.publish(remembering_most())
    sent = mixed(3, fleet(3, ACTIONS, PARTITIONS), rich(3, PARTITIONS))
    ends = await log.send(sent)
    runs = (run(log, tmp_path, workers=w, kills=k, ends=ends) for w, k in ((1, 0), (2, 2), (4, 2)))
    prefixes = await asyncio.gather(*runs)
    source = await log.records("agent.actions")
    assert sum(map(len, source.values())) == len(sent) > ACTIONS + 2_000
    calm = await log.read(prefixes[0])
    assert not violations(source, calm)
    assert sum(map(len, calm.dead_letters.values())) > ACTIONS // 100
    found = {decode(r.value, "threat")["detector"] for records in calm.threats.values() for r in records}
    assert len(found) >= KINDS and {"credential-hunting", "failure-storm", "refused-and-done"} <= found
    assert any(b"correlation:" in key for p in range(PARTITIONS) for key in calm.cells(p))
    for prefix in prefixes[1:]:
        other = await log.read(prefix)
        for p in range(PARTITIONS):
            assert other.fixed(p) == calm.fixed(p)
            assert other.cells(p) == calm.cells(p)
