"""The broker goes silent, or dies, while transactions are under way: the outputs are as if nothing was."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import streams.transaction
from runtime.embedded.services import Broker
from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.reading import Outputs

COUNT = 6_000
PARTITIONS = 2


async def judge_while(log: Log, ends: dict[int, int], fault: Callable[[], None], after: int) -> Outputs:
    """Judge the log; once `after` records are judged, the fault comes."""
    prefix = await log.outputs()
    async with log.working(prefix), log.following(prefix) as following:
        while following.total() < after:
            await following.step()
        await asyncio.to_thread(fault)
        await following.reach(ends)
    return await log.read(prefix)


@pytest.fixture
async def own_log(own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(streams.transaction, "WRITE_SECONDS", 1)
    monkeypatch.setattr(streams.pace, "MAX_ACTIONS", 50)
    return await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()


async def test_aborted_batches_leave_no_trace(own_log: Log, own_broker: Broker) -> None:
    rng = Random(5)
    ends = await own_log.send(fleet(seed=5, count=COUNT, partitions=PARTITIONS))

    def freeze() -> None:
        own_broker.freeze()
        asyncio.run(asyncio.sleep(2))
        own_broker.thaw()

    def kill() -> None:
        own_broker.kill()
        own_broker.start()

    calm = await judge_while(own_log, ends, lambda: None, 0)
    source = await own_log.records("agent.actions")
    assert not violations(source, calm)
    for fault in (freeze, kill):
        outputs = await judge_while(own_log, ends, fault, rng.randrange(COUNT // 8, COUNT // 2))
        for p in range(PARTITIONS):
            assert outputs.fixed(p) == calm.fixed(p)
    assert asyncio.all_tasks() == {asyncio.current_task()}
