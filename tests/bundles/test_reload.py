"""New bundles while actions flow: nothing is lost, each decision names what really judged it.

The marked test is the size that is promised (`make soak`); the other a small one of the kind.
"""

import asyncio
import time

import pytest

from schemas.topics import ACTIONS
from tests.bundles.commands import Person, rejudged
from tests.bundles.making import broken, many_rules
from tests.bundles.test_workers import Author, applied, decisions
from tests.streams.fleet import fleet
from tests.streams.helpers import Log, bundle

CHUNK_SECONDS = 0.2


async def flowing(log: Log, rate: int, stop: asyncio.Event) -> tuple[int, float]:
    """Send actions at a rate until told to stop; how many, and in how many seconds."""
    sent, seed, began = 0, 0, time.monotonic()
    while not stop.is_set():
        seed += 1
        chunk = list(fleet(seed, int(rate * CHUNK_SECONDS), log.partitions))
        await log.send(chunk)
        sent += len(chunk)
        await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
    return sent, time.monotonic() - began


async def reload(person: Person, publishes: int, rules: int, rate: int) -> str:
    """Publish one bundle after the other, one in the middle broken, while actions flow; then judge anew.

    Returns:
        What flowed meanwhile, in words.
    """
    log, author, stop = person.log, Author(person), asyncio.Event()
    prefix, start = await log.outputs(), await log.ends(ACTIONS.name)
    digests = [bundle().digest]
    async with log.working(prefix) as worker, log.following(prefix) as following:
        traffic = asyncio.create_task(flowing(log, rate, stop))
        for serial in range(1, publishes + 1):
            wrong = serial == publishes // 2
            made = broken(serial) if wrong else await asyncio.to_thread(many_rules, serial, rules)
            at = await author.give(*author.parts(made), author.head(made, serial))
            await applied(worker, at)
            while not any(p.control_offset >= at for p in following.progress.values()):
                await following.step()  # until something was judged under it
            digests += [] if wrong else [made.digest]
            assert worker._control.view.rules.digest == digests[-1]
        stop.set()
        sent, seconds = await traffic
        await following.reach(await log.ends(ACTIONS.name))
    outputs = await log.read(prefix)
    named = {str(d["bundle"]) for d in decisions(outputs)}
    assert named | {digests[0]} == set(digests)
    assert await rejudged(log, outputs, start) == sent
    return (
        f"{publishes} bundles of {rules:,} rules while {sent / seconds:,.0f} actions/s came, {sent:,} in all"
    )


async def test_bundles_change_while_actions_flow(person: Person) -> None:
    await reload(person, publishes=12, rules=60, rate=1_000)


@pytest.mark.chaos
@pytest.mark.timeout(1_800)
async def test_a_hundred_bundles_of_a_thousand_rules_under_load(person: Person, capsys) -> None:
    told = await reload(person, publishes=100, rules=1_000, rate=5_000)
    with capsys.disabled():
        print(f"\n{told}")
