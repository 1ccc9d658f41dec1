"""`praetor archive` as people run it."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.codec import encode
from schemas.topics import CONTROL, DECISIONS
from tests.archive.helpers import Stage


@asynccontextmanager
async def praetor_archive(stage: Stage, *more: str) -> AsyncIterator[Process]:
    settings = stage.settings
    environment = {
        "PRAETOR_BOOTSTRAP": settings.bootstrap,
        "PRAETOR_CLICKHOUSE_URL": settings.clickhouse_url,
        "PRAETOR_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "PRAETOR_TOPIC_PREFIX": stage.prefix,
    }
    command = (sys.executable, "-m", "cli.main", "archive", "--dry-ms", "50", *more)
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment}, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_is_killed_started_again_and_told_to_stop(wide: Stage) -> None:
    async def send(first: int) -> None:
        for partition in range(wide.partitions):
            await wide.send(DECISIONS, wide.decisions(first, 40, partition))

    await send(0)
    async with praetor_archive(wide, "--log-id", wide.log_id) as process:
        await wide.rows_are(160)
        process.kill()
        await process.wait()
    await send(40)
    async with praetor_archive(wide, "--log-id", wide.log_id) as process:
        await wide.rows_are(320)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in errors.splitlines() if line.startswith(b"{")]
    assert (events[0], events[-1]) == ("archive starts", "archive stopped")
    for partition in range(wide.partitions):
        await wide.exact(80, partition)


async def test_what_cannot_be_archived_is_its_last_line(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(1, 5))
    async with praetor_archive(stage, "--log-id", stage.log_id) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"Traceback" not in errors
    last = json.loads(errors.splitlines()[-1])
    assert last["event"] == "archive cannot go on"
    assert "has seq 1, but the next to archive is 0" in last["reason"]


async def test_the_log_id_is_what_agent_control_says(stage: Stage) -> None:
    """agent.control has no prefix and is one for a broker: this test makes it and removes it."""
    await stage.create_topics([CONTROL])
    order = {
        "log_id": stage.log_id,
        "kind": "log",
        "author": "test",
        "issued_at": 0,
        "payload": json.dumps({"log_id": stage.log_id, "partitions": 1}).encode(),
        "key_id": "k",
        "signature": b"",
    }
    async with stage.transaction() as producer:
        await producer.send_and_wait(CONTROL.name, b"rubbish")
        await producer.send_and_wait(CONTROL.name, encode("control_record", order | {"kind": "bundle"}))
        await producer.send_and_wait(CONTROL.name, encode("control_record", order))
    await stage.send(DECISIONS, stage.decisions(0, 5))
    async with praetor_archive(stage) as process:
        await stage.rows_are(5)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 30)
    await stage.delete_topics(CONTROL)
