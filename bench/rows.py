"""Bringing the same decisions into ClickHouse: by the very Archive, and as one file by ClickHouse alone."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock
from urllib.parse import urlsplit

from aiokafka import TopicPartition
from clickhouse_connect import get_client

import consumers.archive
import consumers.partition
from bench.stack import PARTITIONS, Job
from bench.window import Window
from consumers.archive import Archive
from consumers.archive import Job as ArchiveJob
from consumers.intents import Intent
from consumers.partition import PartitionArchive
from runtime.errors import PraetorError
from runtime.kafka import Ends, read_partition
from runtime.settings import Settings
from schemas.catalogue import newest
from schemas.codec import PREFIX_BYTES
from schemas.topics import DECISIONS, topic_name
from schemas.varint import zigzag
from sinks import tables
from sinks.batch import Batch
from sinks.clickhouse import ClickHouseSink, insert_settings
from sinks.connection import connect
from sinks.container import SYNC, header
from sinks.migrate import migrate

BLOCK_ROWS = 10_000
PATIENCE_SECONDS = 300


class HeldArchive(PartitionArchive):
    """Takes over, but reads nothing before `release`."""

    held: Any = None
    all: ClassVar[dict[int, "HeldArchive"]] = {}

    async def take_over(self) -> None:
        await super().take_over()
        self.held = self._consumer
        self.held.pause(*self.held.assignment())
        self.all[self.place.partition] = self

    def release(self) -> None:
        self.held.resume(*self.held.assignment())


class CountingSink(ClickHouseSink):
    """Counts decisions once they are stored."""

    rows = 0

    def write(self, batch: Batch) -> None:
        super().write(batch)
        if batch.table is tables.DECISIONS:
            self.rows += batch.rows


def _settings(job: Job) -> Settings:
    return Settings(clickhouse_url=job.settings["url"], clickhouse_database=job.settings["database"])


async def archive(job: Job) -> dict[str, Any]:
    """Archive a log's decisions into a new database, from release to the last row stored."""
    settings = _settings(job)
    migrate(settings)
    sink = CountingSink(settings)
    running = Archive(job.log.options, sink, ArchiveJob(job.prefix))
    with ExitStack() as changes:
        changes.enter_context(mock.patch.object(consumers.archive, "PartitionArchive", HeldArchive))
        # it would go on where the last round's intents end: each round begins anew, in a new database
        changes.enter_context(mock.patch.object(consumers.partition, "newest_intents", _no_intents))
        task = asyncio.create_task(running.run())
        await _until(lambda: len(HeldArchive.all) == PARTITIONS, task)
        with Window(job.profile) as window:
            for owner in HeldArchive.all.values():
                owner.release()
            await _until(lambda: sink.rows >= job.settings["rows"], task)
        running.stop.set()
        await task
    _check_rows(settings, job)
    return window.measured(job.settings["rows"])


async def _no_intents(*where: Any) -> dict[str, Intent]:
    return {}


async def _until(condition: Any, task: asyncio.Task[None]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if task.done():
            task.result()
            raise PraetorError("the archive ended by itself")
        if time.monotonic() > deadline:
            raise PraetorError(f"the archive was not done after {PATIENCE_SECONDS} s")
        await asyncio.sleep(0.005)


def _check_rows(settings: Settings, job: Job) -> None:
    with connect(settings) as client:
        for table in ("decisions", "leaves"):
            found = int(str(client.command(f"SELECT count() FROM {table}")))
            if found != job.settings["rows"]:
                raise PraetorError(f"{table} holds {found} rows, not {job.settings['rows']}")
        if not job.settings.get("keep"):
            client.command(f"DROP DATABASE {settings.clickhouse_database}")


async def dump(job: Job) -> dict[str, Any]:
    """Write all decisions of a log into one Avro file, as any producer of Avro files would: many blocks."""
    of = newest("decision")
    ends = Ends(job.log.options)
    await ends.start()
    rows = 0
    with open(job.settings["file"], "wb") as file:
        file.write(header(of))
        for p in range(PARTITIONS):
            tp = TopicPartition(topic_name(DECISIONS, job.prefix), p)
            end = await ends.stable_end(tp)
            bodies: list[bytes] = []
            async for records in read_partition(job.log.options, tp, 0, end):
                bodies += [record.value[PREFIX_BYTES:] for record in records]
            rows += len(bodies)
            for first in range(0, len(bodies), BLOCK_ROWS):
                part = bodies[first : first + BLOCK_ROWS]
                data = b"".join(part)
                file.write(b"".join((zigzag(len(part)), zigzag(len(data)), data, SYNC)))
    await ends.stop()
    return {"rows": rows}


async def insert(job: Job) -> dict[str, Any]:
    """Insert the file into a new database by one request, the client's own `raw_insert`."""
    settings = _settings(job)
    migrate(settings)
    names = [field["name"] for field in newest("decision").definition["fields"]]
    url = urlsplit(settings.clickhouse_url)
    with (
        get_client(
            host=url.hostname,
            port=url.port,
            database=settings.clickhouse_database,
            # it also bounds the sending of a body
            connect_timeout=PATIENCE_SECONDS,
            autogenerate_session_id=False,
        ) as client,
        Window(job.profile) as window,
    ):
        content = Path(job.settings["file"]).read_bytes()
        client.raw_insert("decisions", names, content, settings=insert_settings("bench"), fmt="Avro")
    _check_rows(settings, job)
    return window.measured(job.settings["rows"])
