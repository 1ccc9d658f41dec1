"""Workers are killed, frozen, stopped and joined: incidents and counts stay those of brute force."""

import asyncio
import json
import os
import signal
from random import Random

import pytest

from schemas.topics import CORRELATIONS, INCIDENTS
from streams.correlate.memory import PROGRESS_KEY
from streams.correlate.thresholds import Thresholds
from tests.correlate.making import START
from tests.correlate.stage import Correlating, until

AT = START + 10**12
"""In the future: nothing is quiet before the test is over."""
FROZEN_SECONDS = 14  # longer than a member may be silent


async def fault(stage: Correlating, chance: Random) -> str:
    kind = chance.choice(("kill", "kill", "join", "stop", "freeze"))
    if kind == "join" and len(stage.running) < 3:
        stage.start()
    elif kind == "stop":
        stage.running.pop(0).send_signal(signal.SIGTERM)
    elif kind == "freeze":
        process = stage.running[0]
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(FROZEN_SECONDS)
        os.kill(process.pid, signal.SIGCONT)
    else:
        stage.kill(0)
    while len(stage.running) < 2:
        stage.start()
    return kind


async def go_through(stage: Correlating, faults: int, seed: int) -> None:
    chance, sent = Random(seed), 0
    stage.start()
    stage.start()
    for n in range(faults):
        await stage.send(stage.folds(chance, 20, AT + n * 20_000))
        await stage.send(stage.folds(chance, 5, AT), abort=True)
        sent += 20
        await asyncio.sleep(chance.uniform(0.5, 4))
        await fault(stage, chance)

    async def copied() -> bool:
        return len({source for source, _ in await stage.copies()}) == sent

    await until(copied, 180)
    expected = await stage.expected(Thresholds())

    async def counted() -> bool:
        """What is remembered of each open incident has the figures of brute force."""
        remembered = {}
        for _, record, one in await stage.read(CORRELATIONS, "correlation"):
            if record.key != PROGRESS_KEY:
                remembered[record.key] = json.loads(one["state"])
        open_now = [s["incident"] for s in remembered.values() if s.get("incident")]
        figures = {
            i["incident_id"]: (i["tally"]["threats"], i["tally"]["denials"], i["opened_at"]) for i in open_now
        }
        return figures == {
            name: (one["threat_count"], one["denial_count"], one["opened_at"])
            for name, one in expected.items()
        }

    await until(counted, 120)
    found: dict[str, list[int]] = {}
    for _, _, record in await stage.read(INCIDENTS, "incident"):
        found.setdefault(record["incident_id"], []).append(record["revision"])
    assert set(found) == set(expected)
    assert len(found) > 3
    for revisions in found.values():
        assert revisions == list(range(1, len(revisions) + 1))


async def test_a_handful_of_faults(stage: Correlating) -> None:
    await go_through(stage, 3, seed=2)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_many_faults(stage: Correlating) -> None:
    await go_through(stage, 30, seed=1)
