"""A whole log of an earlier engine and its schema, in Kafka and ClickHouse: judged on, archived, verified."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from consumers.archive import Archive, Job
from consumers.place import Pace
from detections.activity import read_activity
from judgement.engine import ENGINE
from ledger.digest import text_digest
from runtime.embedded.services import Broker
from runtime.settings import Settings
from schemas.catalogue import schema
from schemas.codec import decode, encode_body
from schemas.keys import agent_key, partition_of
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from sinks.rows import read_records
from sinks.tables import DECISIONS
from streams.cells import add_state_record
from tests.ledger_cli.helpers import run
from tests.streams.fleet import Sent, action
from tests.streams.helpers import Log
from tests.upgrades.recording import Recording
from tests.upgrades.test_engine import RECORDINGS

WRITTEN = {"1": 201, "2": 202, "3": 202}
"""The schema of an engine's decisions on actions of its day."""

CUT = b'{"path": "/workspace/' + b"x" * 5000 + b'"}'


def old_and_new(rng: Random, count: int, partitions: int) -> list[Sent]:
    """Actions of the recorded agents, every other one by a producer that still writes schema v1."""
    sent = []
    for number in range(count):
        fields = action(rng, f"agent-{rng.randrange(6)}", tenant=f"tenant-{rng.randrange(3)}")
        of = schema(101 if number % 2 else 102)
        if of.id == 102:
            digest = text_digest(fields["salt"], "arguments", CUT)
            fields |= {
                "arguments": CUT[:50].decode(),
                "arguments_sha256": digest,
                "arguments_bytes": len(CUT),
            }
        key = agent_key(fields["tenant"], fields["agent_id"])
        sent.append(Sent(partition_of(key, partitions), key, of.prefix + encode_body(of, fields)))
    return sent


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return Recording(request.param)


@asynccontextmanager
async def archiving(log: Log, settings: Settings, rows: int) -> AsyncIterator[None]:
    """An archive that runs during the block, at whose end there are so many decisions."""
    archive = Archive(log.options, ClickHouseSink(settings), Job(pace=Pace(dry=0.05, linger=0.2)))
    task = asyncio.create_task(archive.run())
    client = connect(settings)
    try:
        yield
        deadline = time.monotonic() + 60
        while client.query("SELECT count() FROM decisions").result_rows[0][0] != rows:
            assert not task.done() and time.monotonic() < deadline
            await asyncio.sleep(0.05)
    finally:
        client.close()
        archive.stop.set()
        await task


def counted(state: list[Any]) -> dict[bytes, int]:
    """How many actions each agent's cell says that it did."""
    agents: dict[bytes, Any] = {}
    for record in state:
        add_state_record(record.key, record.value, agents)
    return {agent: read_activity(cells["activity"]).actions for agent, cells in agents.items() if cells}


async def test_a_log_of_the_version_before_goes_on(
    recording: Recording, own_broker: Broker, clickhouse: str, tmp_path: Path
) -> None:
    log = Log(own_broker.bootstrap, tmp_path / "keys", recording.partitions)
    recording.write_keys(log.keys)
    settings = Settings(
        bootstrap=log.bootstrap,
        clickhouse_url=clickhouse,
        clickhouse_database=f"upgrade_{sha256(recording.log_id.encode()).hexdigest()[:8]}",
    )
    await recording.onto_broker(log.options)
    newer = await asyncio.to_thread(recording.into_clickhouse, settings)
    assert await asyncio.to_thread(migrate, settings) == newer

    before = counted([r for p in range(log.partitions) for r in recording.of("agent.state", p)])
    old = sum(len(recording.of("agent.decisions", p)) for p in range(log.partitions))
    new = old_and_new(Random(7), 60, log.partitions)
    async with archiving(log, settings, old + len(new)):
        outputs = await log.judge("", await log.send(new))

    decisions = [decode(r.value, "decision") for p in outputs.decisions.values() for r in p]
    assert Counter((d["schema"], d["engine"]) for d in decisions) == {
        (WRITTEN[recording.engine], recording.engine): old,
        (201, ENGINE): len(new) // 2,
        (202, ENGINE): len(new) // 2,
    }
    after = counted([r for p in outputs.state.values() for r in p])
    for key in {sent.key for sent in new}:
        assert after[key] == before.get(key, 0) + sum(sent.key == key for sent in new), key
    assert before.keys() <= after.keys()
    check_rows(recording, settings, {r.value for p in outputs.decisions.values() for r in p})
    await asyncio.to_thread(check_ledger, log, settings, len(decisions))


def check_rows(recording: Recording, settings: Settings, values: set[bytes]) -> None:
    """Every row encodes to the bytes on the broker, by its own schema; and old rows have none of the new."""
    client = connect(settings)
    rows = list(read_records(client, DECISIONS, "ORDER BY seq", {}))
    client.close()
    assert {schema(r["schema"]).prefix + encode_body(schema(r["schema"]), r) for r in rows} == values
    old = (WRITTEN[recording.engine], None)
    assert {(r["schema"], r["arguments_bytes"]) for r in rows} == {old, (201, None), (202, len(CUT))}
    for row in rows:
        if row["arguments_bytes"]:
            assert text_digest(row["salt"], "arguments", CUT) == row["arguments_sha256"]


def check_ledger(log: Log, settings: Settings, decisions: int) -> None:
    env = {
        "PRAETOR_BOOTSTRAP": log.bootstrap,
        "PRAETOR_CLICKHOUSE_URL": settings.clickhouse_url,
        "PRAETOR_CLICKHOUSE_DATABASE": settings.clickhouse_database,
        "PRAETOR_KEYS_DIR": str(log.keys),
    }
    for place in ("kafka", "clickhouse", "both"):
        answer = run("verify", "--from", place, "--json", env=env)
        assert (answer.code, answer.json["ok"], answer.findings()) == (0, True, []), place
        sources = 2 if place == "both" else 1
        assert sum(p["records_checked"] for p in answer.json["partitions"]) == decisions * sources
