"""The checker is checked: each safeguard is switched off in turn, and a fault that it is there for is found.

With nothing switched off the same fault leaves no trace. The code has no switches for it: what is taken away
here is taken away by patching.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

import consumers.partition
import sinks.clickhouse
import streams.takeover
from consumers.intents import Intent, commit_intents
from runtime.embedded.services import Broker
from schemas.topics import ACTIONS, CHECKPOINTS, DEAD_LETTERS, DECISIONS, STATE, THREATS, topic_name
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from streams.partition import Batch, Place
from streams.progress import PROGRESS_KEY
from streams.transaction import NO_HEADERS, Writer
from tests.archive.helpers import Owner, Stage, until
from tests.archive.sinks import HeldSink
from tests.chaos.checker import clickhouse_violations
from tests.chaos.owners import BATCH, Hook, Judge, hooked
from tests.chaos.proxy import Proxy
from tests.streams.exactly_once import violations
from tests.streams.fleet import fleet
from tests.streams.helpers import Log
from tests.streams.reading import Outputs, read_topics

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(2, 10))]
BOTH = pytest.mark.parametrize("sabotaged", [True, False], ids=["switched off", "whole"])

every_seed = pytest.mark.parametrize("seed", SEEDS)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("sabotage")
    with Broker(folder / "kafka") as running:
        yield asyncio.run(Log(running.bootstrap, folder / "keys", 1).mint())


async def fleet_of(log: Log, seed: int) -> tuple[str, dict[int, int], Random]:
    """A new log with actions in it, and outputs for them."""
    rng = Random(seed)
    await log.clear()
    prefix = await log.outputs()
    return prefix, await log.send(fleet(seed, rng.randrange(8, 14) * BATCH, 1)), rng


async def found(log: Log, prefix: str) -> list[str]:
    return violations(await log.records(ACTIONS), await log.read(prefix))


@BOTH
@every_seed
async def test_fencing(log: Log, monkeypatch: pytest.MonkeyPatch, seed: int, sabotaged: bool) -> None:
    """An owner freezes before a transaction, another takes over and judges on, the first wakes up."""
    prefix, ends, rng = await fleet_of(log, seed)
    hook = Hook(rng.randrange(2, 8), after=False)
    hooked(monkeypatch, hook)
    if sabotaged:
        real = streams.takeover.transactional_id

        def unique(prefix: str, place: Place) -> str:
            return f"{real(prefix, place)}-{uuid4().hex}"

        monkeypatch.setattr(streams.takeover, "transactional_id", unique)
    async with Judge(log, prefix) as zombie:
        await asyncio.wait_for(hook.reached.wait(), 60)
        async with Judge(log, prefix), log.following(prefix) as following:
            await asyncio.wait_for(following.reach(ends), 60)
        hook.release.set()
        await zombie.end()
    assert bool(await found(log, prefix)) == sabotaged


class Split(Writer):
    """Writes the progress record in a transaction of its own, after the one that it belongs to."""

    async def _write(self, batch: Batch, checkpoint: bytes | None) -> None:
        await super()._write(batch, checkpoint)
        if batch.decisions and self.hook is not None:
            await self.hook.pass_by(after=True, number=-1)
        await self._producer.begin_transaction()
        sent = await super()._send(STATE, [(PROGRESS_KEY, batch.after.to_bytes(), NO_HEADERS)])
        await asyncio.gather(*sent)
        await self._producer.commit_transaction()

    async def _send(self, topic: Any, records: Iterable[Any]) -> list[Any]:
        return await super()._send(topic, (r for r in records if r[0] != PROGRESS_KEY))

    hook: Hook | None = None


@BOTH
@every_seed
async def test_the_progress_record(
    log: Log, monkeypatch: pytest.MonkeyPatch, seed: int, sabotaged: bool
) -> None:
    """An owner dies right after a transaction."""
    prefix, ends, rng = await fleet_of(log, seed)
    number = rng.randrange(2, 8)
    if sabotaged:
        hook = Hook(-1, after=True)
        hooked(monkeypatch, Hook(0, after=False), Split)
        monkeypatch.setattr(Split, "hook", Countdown(hook, number))
    else:
        hook = Hook(number, after=True)
        hooked(monkeypatch, hook)
    async with Judge(log, prefix) as first:
        await asyncio.wait_for(hook.reached.wait(), 60)
        await first.die()
        hook.release.set()
        async with Judge(log, prefix), log.following(prefix) as following:
            await asyncio.wait_for(following.reach(ends), 60)
    assert bool(await found(log, prefix)) == sabotaged


class Countdown(Hook):
    """Passes on to a hook at the n-th call."""

    def __init__(self, hook: Hook, number: int) -> None:
        super().__init__(0, after=True)
        self._hook, self._number = hook, number

    async def pass_by(self, after: bool, number: int) -> None:
        self._number -= 1
        if self._number == 0:
            await self._hook.pass_by(after, number)


async def archived(stage: Stage) -> list[str]:
    """What the checker says of a stage whose topics and tables are at rest."""
    topics = [topic_name(of, stage.prefix) for of in (DECISIONS, DEAD_LETTERS, THREATS, CHECKPOINTS)]
    read = await read_topics(stage.options, topics, stage.partitions)
    decisions, dead, threats, checkpoints = (read[name] for name in topics)
    client = await asyncio.to_thread(connect, stage.settings)
    try:
        return clickhouse_violations(client, Outputs(decisions, dead, threats, checkpoints), stage.log_id)
    finally:
        client.close()


@asynccontextmanager
async def prepared(broker: str, clickhouse: str) -> AsyncIterator[Stage]:
    stage = await Stage(broker, clickhouse).prepare()
    yield stage
    stage.close()


async def only_done(producer: AIOKafkaProducer, topic: str, intents: Iterable[Intent]) -> None:
    """The archive says what it has inserted, not what it is about to insert."""
    done = [intent for intent in intents if intent.done]
    if done:
        await commit_intents(producer, topic, done)


@BOTH
@every_seed
async def test_the_intent(
    broker: str, clickhouse: str, monkeypatch: pytest.MonkeyPatch, seed: int, sabotaged: bool
) -> None:
    """An archive dies after an insert, before it says so; more has come when its successor begins."""
    rng = Random(seed)
    before, under_way, after = (rng.randrange(5, 200) for _ in range(3))
    if sabotaged:
        monkeypatch.setattr(consumers.partition, "commit_intents", only_done)
    async with prepared(broker, clickhouse) as stage:
        await stage.send(DECISIONS, stage.decisions(0, before))
        async with stage.archiving():
            await stage.rows_are(before)
        await stage.send(DECISIONS, stage.decisions(before, under_way))
        held = HeldSink(stage.settings, after=True)
        async with Owner(stage, held) as owner:
            await owner.take_over()
            running = asyncio.create_task(owner.run())
            await asyncio.to_thread(held.reached.wait, 60)
            running.cancel()
            held.release.set()
            await asyncio.gather(running, return_exceptions=True)
        await stage.send(DECISIONS, stage.decisions(before + under_way, after))
        async with stage.archiving():
            await at_rest(stage, before + under_way + after)
        assert bool(await archived(stage)) == sabotaged


@BOTH
@every_seed
async def test_the_insert_token(
    broker: str, clickhouse: str, monkeypatch: pytest.MonkeyPatch, seed: int, sabotaged: bool
) -> None:
    """An insert is applied, but its answer is lost: it is sent again, under a new token if sabotaged."""
    rng = Random(seed)
    count, more = rng.randrange(5, 200), rng.randrange(5, 200)
    if sabotaged:
        real: Callable[[str], dict[str, str | int]] = sinks.clickhouse.insert_settings
        monkeypatch.setattr(sinks.clickhouse, "insert_settings", lambda token: real(uuid4().hex))
    proxy = Proxy(int(clickhouse.rpartition(":")[2]))
    await proxy.start()
    try:
        async with prepared(broker, clickhouse) as stage:
            through = {"clickhouse_url": f"http://127.0.0.1:{proxy.port}"}
            lost = asyncio.Event()
            proxy.lose(lost.set, times=2)
            await stage.send(DECISIONS, stage.decisions(0, count))
            async with stage.archiving(ClickHouseSink(stage.settings.model_copy(update=through))):
                await asyncio.wait_for(lost.wait(), 60)
                await stage.send(DECISIONS, stage.decisions(count, more))
                await at_rest(stage, count + more)
            assert bool(await archived(stage)) == sabotaged
    finally:
        await proxy.stop()


async def at_rest(stage: Stage, rows: int) -> None:
    """Wait until every decision is stored, however often."""

    async def stored() -> int:
        return int((await stage.ask("SELECT uniqExact(seq) FROM decisions"))[0][0])

    await until(stored, rows)
