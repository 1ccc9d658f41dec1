"""Hostile records among clean ones, through govern and the archive; what must be true of it afterwards."""

import asyncio
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver.client import Client

from consumers.archive import Archive, Job
from consumers.place import Pace
from judgement.rules import compile_rules
from runtime.errors import Malformed
from runtime.settings import Settings
from schemas.action import ACTION_IDS
from schemas.catalogue import schema
from schemas.codec import decode, split_frame
from schemas.keys import agent_key, partition_of
from schemas.limits import MAX_VALUE_BYTES, oversize
from schemas.strict import read_strictly
from schemas.topics import ACTIONS
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from streams.cells import Cells, add_state_record
from streams.partition import Partition, Place
from streams.progress import Progress
from tests.hostile.mutation import CLEAN, Wild, clean, wild
from tests.streams.exactly_once import violations
from tests.streams.helpers import Log, bundle
from tests.streams.reading import Outputs

CHUNK = 500
CODECS = (None, "gzip", "lz4", "zstd", "snappy")


def mixed(rng: Random, count: int, partitions: int, hostile: float = 0.6) -> list[Wild]:
    """Hostile and clean records in any order."""
    return [(wild if rng.random() < hostile else clean)(rng, partitions) for _ in range(count)]


async def deliver(log: Log, records: Sequence[Wild], rng: Random) -> dict[int, int]:
    """Append records, in their order within a partition, in batches compressed in every way; the ends."""
    for begin in range(0, len(records), CHUNK):
        chosen = rng.choice(CODECS)
        producer = AIOKafkaProducer(**log.options, compression_type=chosen, max_batch_size=1 << 16)
        producer._max_request_size = 1 << 27
        async with producer:
            await _append(producer, records[begin : begin + CHUNK])
    return await log.ends(ACTIONS.name)


async def _append(producer: Any, records: Iterable[Wild]) -> None:
    builders: dict[int, Any] = {}
    sent = []
    for p, key, value, headers, timestamp in records:
        builder = builders.get(p) or builders.setdefault(p, producer.create_batch())
        if builder.append(timestamp=timestamp, key=key, value=value, headers=headers) is None:
            sent.append(await producer.send_batch(builder, ACTIONS.name, partition=p))
            builder = builders[p] = producer.create_batch()
            assert builder.append(timestamp=timestamp, key=key, value=value, headers=headers)
    for p, builder in builders.items():
        sent.append(await producer.send_batch(builder, ACTIONS.name, partition=p))
    await asyncio.gather(*sent)


def read_reference(key: bytes | None, value: bytes | None, headers: Any) -> dict[str, Any] | None:
    """What a record says, by the strict reader alone; None where it must be a dead letter."""
    if oversize(key, value, headers):
        return None
    try:
        schema_id, body = split_frame(value)
        return read_strictly(schema(schema_id).spelled, body) if schema_id in ACTION_IDS else None
    except Malformed:
        return None


def mistakes(log: Log, source: dict[int, list[Any]], outputs: Outputs) -> list[str]:
    """Everything that is wrong with what came of a log of clean and hostile records; empty if nothing is."""
    found = violations(source, outputs)
    for p, records in source.items():
        decided = {decode(r.value, "decision")["source_offset"] for r in outputs.decisions[p]}
        letters = {
            x["source_offset"]: x for x in (decode(r.value, "dead_letter") for r in outputs.dead_letters[p])
        }
        own = []
        for record in records:
            said = read_reference(record.key, record.value, record.headers)
            if (said is not None) != (record.offset in decided):
                found.append(f"partition {p} offset {record.offset}: decided, or not, against the reference")
            if said is None:
                found += _letter(p, record, letters.get(record.offset))
            elif agent_key(said["tenant"], said["agent_id"]) == record.key:
                if partition_of(record.key, log.partitions) == p:
                    own.append(record)
        found += _cells(log, p, records, own, outputs)
    return found


def _letter(p: int, record: Any, letter: Any) -> list[str]:
    if letter is None:
        return []  # the missing output is told already
    value = record.value
    wanted = {
        "partition": p,
        "topic": ACTIONS.name,
        "value": None if value is None else value[:MAX_VALUE_BYTES],
        "value_bytes": -1 if value is None else len(value),
    }
    if letter["stage"] == "decode":
        wanted["key"] = record.key
        wanted["headers"] = [{"key": name, "value": v} for name, v in record.headers]
    wrong = [name for name, v in wanted.items() if letter[name] != v]
    wrong += [] if letter["message"] and letter["error_class"] in ("Malformed", "Oversized") else ["reason"]
    return [f"partition {p} offset {record.offset}: its letter's {name} is wrong" for name in wrong]


def _cells(log: Log, p: int, records: list[Any], own: list[Any], outputs: Outputs) -> list[str]:
    """Cells are what the right records alone make of them; the clean agents', what theirs alone make."""
    state: dict[bytes, Cells] = {}
    for record in outputs.state[p]:
        add_state_record(record.key, record.value, state)
    state = {key: cells for key, cells in state.items() if cells}
    alone = _judged_alone(log, p, own)
    found = [f"partition {p}: cells differ from those of the right records alone"] if state != alone else []
    prefix = CLEAN.encode() + b"/"
    clean_alone = _judged_alone(log, p, [r for r in own if r.key.startswith(prefix)])
    clean_state = {key: cells for key, cells in state.items() if key.startswith(prefix)}
    if clean_state != clean_alone:
        found.append(f"partition {p}: clean agents' cells differ from those of a run of clean records only")
    return found


def _judged_alone(log: Log, p: int, records: list[Any]) -> dict[bytes, Cells]:
    alone = Partition(Place(log.view.log_id, p, log.partitions), Progress(log.view.log_id), {})
    alone.under(compile_rules(bundle()), 0)
    alone.commit(alone.judge(records))
    return alone.agents


class Database:
    """A database of its own, into which a prefix of a log is archived."""

    def __init__(self, log: Log, clickhouse: str) -> None:
        name = f"hostile_{uuid4().hex[:12]}"
        self._settings = Settings(
            bootstrap=log.bootstrap, clickhouse_url=clickhouse, clickhouse_database=name
        )
        self._log = log

    async def archive(self, prefix: str, records: int, seconds: float = 120) -> tuple[int, int]:
        """Archive until `records` rows are there; how many are decisions and dead letters, each once."""
        await asyncio.to_thread(migrate, self._settings)
        job = Job(prefix, self._log.view.log_id, Pace(dry=0.05, linger=0.2))
        archive = Archive(self._log.options, ClickHouseSink(self._settings), job)
        task = asyncio.create_task(archive.run())
        client = await asyncio.to_thread(connect, self._settings)
        try:
            async with asyncio.timeout(seconds):
                while not task.done():
                    counts = await asyncio.to_thread(_counts, client)
                    if sum(counts) >= records:
                        return counts
                    await asyncio.sleep(0.1)
            task.result()
            raise AssertionError("the archive ended by itself")
        finally:
            archive.stop.set()
            await task
            await asyncio.to_thread(self._drop, client)

    def _drop(self, client: Client) -> None:
        client.command(f"DROP DATABASE {self._settings.clickhouse_database}")
        client.close()


def _counts(client: Client) -> tuple[int, int]:
    decisions, letters = (
        client.query(f"SELECT count(), uniqExact(partition, source_offset) FROM {table}").result_rows[0]
        for table in ("decisions", "dead_letters")
    )
    assert decisions[0] == decisions[1] and letters[0] == letters[1], "rows are doubled"
    return decisions[0], letters[0]
