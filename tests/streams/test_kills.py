"""Workers as processes, killed and frozen: nothing is lost or repeated, and a fenced owner writes nothing."""

from pathlib import Path
from random import Random

from schemas.topics import ACTIONS, DECISIONS, topic_name
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, action, fleet, malformed, routed
from tests.streams.helpers import Log
from tests.streams.workers import Workers

PARTITIONS = 3
RNG = Random(4)


def bad(count: int) -> list[Sent]:
    good = [routed(action(RNG, f"agent-{n}"), PARTITIONS) for n in range(count)]
    return [sent._replace(value=malformed(RNG, sent.value or b"")) for sent in good]


async def test_dead_letters_alone_are_progress_and_old_decisions_are_not_needed(
    log: Log, tmp_path: Path
) -> None:
    prefix = await log.outputs()
    with Workers(log.bootstrap, log.keys, prefix, tmp_path) as workers:
        async with log.following(prefix) as following:
            workers.start()
            await following.reach(await log.send(fleet(6, 200, PARTITIONS)))
            before = await log.read(prefix)
            await following.reach(await log.send(bad(60)))
            workers.kill()
            await log.delete(topic_name(DECISIONS, prefix), {p: -1 for p in range(PARTITIONS)})
            workers.start()
            await workers.logged(1, "partition taken over", times=PARTITIONS)
            await following.reach(await log.send(fleet(7, 200, PARTITIONS)))
        assert workers.stop() == 0
    outputs = await log.read(prefix)
    for p in range(PARTITIONS):
        outputs.decisions[p] = before.decisions[p] + outputs.decisions[p]
    assert not violations(await log.records(ACTIONS.name), outputs)


async def test_a_zombie_writes_nothing_and_rejoins(log: Log, tmp_path: Path) -> None:
    prefix = await log.outputs()
    with Workers(log.bootstrap, log.keys, prefix, tmp_path) as workers:
        async with log.following(prefix) as following:
            workers.start()
            await workers.logged(0, "partition taken over", times=PARTITIONS)
            ends = await log.send(fleet(8, 20_000, PARTITIONS))
            start = following.total()
            while following.total() < start + 4_000:
                await following.step()
            workers.freeze()
            assert not following.reached(ends)
            workers.start()
            await workers.logged(1, "partition taken over", times=PARTITIONS)
            await following.reach(ends)
            workers.thaw()
            await workers.logged(0, "partitions assigned", times=2)
            await following.reach(await log.send(fleet(9, 500, PARTITIONS)))
        assert workers.stop() == workers.stop() == 0
    assert not violations(await log.records(ACTIONS.name), await log.read(prefix))
