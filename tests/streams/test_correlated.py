"""Correlations under rebalances and kill -9, with clocks that lie: what brute force says."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from runtime.embedded.services import Broker
from tests.streams.correlated import correlating, correlations, expected, round_of, told
from tests.streams.exactly_once import violations
from tests.streams.helpers import Log
from tests.streams.workers import Workers

PARTITIONS, AGENTS, ROUNDS, EACH = 6, 40, 10, 300
OF = correlations(seed=5, count=14)
KILLED, STOPPED, ADDED = (2, 5, 7), 6, 4
"""Rounds in whose midst a worker is killed and another started; one is asked to stop; one more begins."""


@pytest.mark.timeout(900)
async def test_threats_are_those_of_brute_force_whatever_happens(own_broker: Broker, tmp_path: Path) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    await log.publish(correlating(OF))
    prefix, rng = await log.outputs(), Random(12)
    with Workers(log.bootstrap, log.keys, prefix, tmp_path / "logs") as workers:
        workers.start(3)
        async with log.following(prefix) as following:
            for number in range(ROUNDS):
                ends = await log.send(round_of(rng, AGENTS, EACH, PARTITIONS))
                while following.total() < (number + 0.3) * EACH:  # some of it is judged, some is not
                    await following.step()
                if number in KILLED:
                    workers.kill(rng.randrange(len(workers.running)))
                    workers.start()
                if number == STOPPED:
                    assert workers.stop() == 0
                if number == ADDED:
                    workers.start()
                workers.check()
                await asyncio.sleep(0.3)
            await following.reach(ends)
    source, outputs = await log.records("agent.actions"), await log.read(prefix)
    assert not violations(source, outputs)
    on, fired = expected(OF, source.values())
    assert told(OF, outputs.decisions.values(), outputs.threats.values()) == (on, fired)
    assert {name for _, name in fired} == {c.name for c in OF}
    assert len(fired) > 1_000


def test_the_correlations_are_of_every_kind_and_by_both_clocks() -> None:
    assert len({c.kind for c in OF}) == 8
    assert {c.clock for c in OF} == {"received_at", "occurred_at"}
    assert any(rule in {c.name for c in OF} for c in OF for rule in c.rules)
