"""Whoever dies when: no row is lost, none is there twice."""

import asyncio
import random
import signal
import sys

import pytest
from aiokafka.errors import ProducerFenced

from runtime.embedded.services import ClickHouse
from runtime.errors import PraetorError
from schemas.topics import ARCHIVE, CHECKPOINTS, DECISIONS
from sinks.clickhouse import ClickHouseSink
from tests.archive.helpers import Owner, Stage
from tests.archive.sinks import HeldSink


async def die(stage: Stage, at: int, when: str) -> None:
    """Archive in a process of its own until it is killed at its n-th insert."""
    settings = stage.settings
    places = (settings.bootstrap, settings.clickhouse_url, settings.clickhouse_database, stage.prefix)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.archive.dying",
        *places,
        stage.log_id,
        str(stage.partitions),
        str(at),
        when,
    )
    try:
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_killed_around_its_inserts(wide: Stage) -> None:
    chance = random.Random(3)
    total = 0
    for when in ("before", "after", "before"):
        count = chance.randrange(20, 200)
        for partition in range(wide.partitions):
            await wide.send(DECISIONS, wide.decisions(total, count, partition))
        await wide.send(CHECKPOINTS, [wide.checkpoint(total)])
        total += count
        await die(wide, chance.randrange(1, 5), when)
    async with wide.archiving():
        await wide.rows_are(total * wide.partitions)
        await wide.rows_are(3, "checkpoints")
    for partition in range(wide.partitions):
        await wide.exact(total, partition)


@pytest.mark.parametrize("inserted", [False, True], ids=["insert held back", "insert sent twice"])
async def test_a_zombie_wakes_after_its_successor_is_done(stage: Stage, inserted: bool) -> None:
    held = HeldSink(stage.settings, after=inserted)
    await stage.send(DECISIONS, stage.decisions(0, 50))
    async with Owner(stage, held) as zombie, Owner(stage, ClickHouseSink(stage.settings)) as successor:
        await zombie.take_over()
        old = asyncio.create_task(zombie.run())
        await asyncio.to_thread(held.reached.wait, 30)
        await successor.take_over()
        await stage.exact(50)
        await stage.send(DECISIONS, stage.decisions(50, 50))
        new = asyncio.create_task(successor.run())
        await stage.rows_are(100)
        held.release.set()
        with pytest.raises(ProducerFenced):
            await old
        successor.stopping.set()
        await new
    await stage.exact(100)


async def test_a_foreign_open_transaction_does_not_hide_the_intent(stage: Stage) -> None:
    """Behind it the newest intent is not visible: who does not wait inserts anew from the one before."""
    await stage.send(DECISIONS, stage.decisions(0, 30))
    async with stage.archiving():
        await stage.rows_are(30)
    async with stage.transaction() as foreign:
        await foreign.send_and_wait(f"{stage.prefix}{ARCHIVE.name}", b"foreign", key=b"foreign", partition=0)
        await stage.send(DECISIONS, stage.decisions(30, 20))
        async with Owner(stage, ClickHouseSink(stage.settings)) as successor:
            taking = asyncio.create_task(successor.take_over())
            await asyncio.sleep(0.5)
            assert not taking.done()
            await foreign.commit_transaction()
            await taking
            await foreign.begin_transaction()
            running = asyncio.create_task(successor.run())
            await stage.rows_are(50)
            successor.stopping.set()
            await running
    await stage.exact(50)


async def leave_pending(stage: Stage, first: int, count: int) -> None:
    """Have an owner die after its insert, before it says so: a pending intent whose rows are all there."""
    held = HeldSink(stage.settings, after=True)
    await stage.send(DECISIONS, stage.decisions(first, count))
    async with Owner(stage, held) as owner:
        await owner.take_over()
        running = asyncio.create_task(owner.run())
        await asyncio.to_thread(held.reached.wait, 30)
        running.cancel()
        held.release.set()
        await asyncio.gather(running, return_exceptions=True)
    intent = (await stage.intents())[DECISIONS.name]
    assert (intent.done, intent.first_seq, intent.rows) == (False, first, count)


async def test_some_rows_of_a_pending_intent_stop_it(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 10))
    async with stage.archiving():
        await stage.rows_are(10)
    await leave_pending(stage, 10, 10)
    await stage.ask("ALTER TABLE decisions DELETE WHERE seq = 12 SETTINGS mutations_sync = 1")
    with pytest.raises(PraetorError, match=r"offsets 11 to 20: of 10 rows ClickHouse holds 9 in decisions"):
        await stage.archive().run()


async def test_a_forgotten_token_does_not_double_rows(stage: Stage) -> None:
    """All rows are there and ClickHouse no longer knows the token: nothing is inserted."""
    await leave_pending(stage, 0, 10)
    for table in ("decisions", "leaves"):
        await stage.ask(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")
    async with stage.archiving():
        await stage.send(DECISIONS, stage.decisions(10, 1))
        await stage.rows_are(11)
    await stage.exact(11)


async def test_sums_that_an_insert_left_undone_are_completed(stage: Stage) -> None:
    [(view,)] = await stage.ask("SHOW CREATE TABLE decisions_to_days")
    await stage.ask("DROP VIEW decisions_to_days SYNC")
    await leave_pending(stage, 0, 10)
    await stage.ask(view)
    async with stage.archiving():
        await stage.send(DECISIONS, stage.decisions(10, 1))
        await stage.rows_are(11)
    assert await stage.ask("SELECT sum(actions) FROM actions_by_day") == [(11,)]
    await stage.exact(11)


async def test_clickhouse_away_and_back(broker: str, own_clickhouse: ClickHouse) -> None:
    stage = await Stage(broker, own_clickhouse.url).prepare()
    await stage.send(DECISIONS, stage.decisions(0, 10))
    async with stage.archiving():
        await stage.rows_are(10)
        own_clickhouse.kill()
        await stage.send(DECISIONS, stage.decisions(10, 25))
        await asyncio.sleep(1)
        own_clickhouse.start()
        await stage.rows_are(35)
    await stage.exact(35)
    stage.close()
