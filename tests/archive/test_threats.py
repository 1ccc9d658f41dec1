"""A finding's way from files to ClickHouse: where it shows, and what mutes it, which no rule sees."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from prometheus_client import REGISTRY

from cli.policy_files import load_files
from consumers.archive import Archive, Job
from runtime.embedded.services import Broker
from runtime.settings import Settings
from schemas.codec import decode
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from tests.archive.helpers import QUICK, until
from tests.streams.fleet import Sent, action, routed
from tests.streams.helpers import Log

FOUND = "secret-in-arguments"
PASSWORD = "V9x-Trq7"
ARGUMENTS = f'{{"body": "url: postgres://shop:{PASSWORD}@db.internal:5432/shop"}}'
POLICY = """\
apiVersion: praetor/v1
kind: Policy
metadata: {name: guarded, description: no secrets leave}
rules:
  - {id: all, effect: allow, match: {}, message: fine}
  - {id: now, effect: deny, match: {detections: [secret-in-arguments]}, message: a secret}
  - {id: later, effect: defer, match: {recent_detections: [secret-in-arguments]}, message: a secret before}
cases:
  - {name: reads, action: {action: "read:x"}, expect: allow}
  - {name: tells, action: {action: "send:mail"}, detections: [secret-in-arguments], expect: deny}
"""
EXCEPTIONS = """\
apiVersion: praetor/v1
kind: Exceptions
exceptions:
  - id: rotation
    detections: [secret-in-arguments]
    agents: [rotator]
    expires: 2099-01-01
    author: ann
    reason: It hands new keys to the vault.
"""
AGENTS = ("rotator", "other")


def threats_counted(muted: str) -> float:
    return REGISTRY.get_sample_value("praetor_threats_total", {"detector": FOUND, "muted": muted}) or 0.0


def doing(partitions: int) -> Iterator[Sent]:
    """Each agent hands a secret on, and then does something ordinary."""
    rng = Random(1)
    for agent in AGENTS:
        told = {"action": "call:tool", "tool": "fetch", "arguments": ARGUMENTS}
        yield routed(action(rng, agent, session_id="s", **told), partitions)
        yield routed(action(rng, agent, session_id="s"), partitions)


async def rows_of(log: Log, prefix: str, settings: Settings, count: int) -> list[Any]:
    """The threats in ClickHouse, as the archive brought them there."""
    archive = Archive(log.options, ClickHouseSink(settings), Job(prefix, pace=QUICK))
    task = asyncio.create_task(archive.run())
    client = connect(settings)
    asked = "SELECT agent_id, muted_by, spans, runbook FROM threats WHERE detector = {d:String} ORDER BY 1"

    async def ask() -> list[Any]:
        return list((await asyncio.to_thread(client.query, asked, parameters={"d": FOUND})).result_rows)

    async def number() -> int:
        return len(await ask())

    await until(number, count)
    rows = await ask()
    client.close()
    archive.stop.set()
    await task
    return rows


async def test_a_muted_finding_is_recorded_and_counted_and_decides_nothing(
    own_broker: Broker, clickhouse: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text(POLICY)
    (rules / "exceptions.yml").write_text(EXCEPTIONS)
    log = await Log(own_broker.bootstrap, tmp_path / "keys", 2).mint()
    await log.publish(load_files([rules]).bundle())
    before = {muted: threats_counted(muted) for muted in ("yes", "no")}
    prefix = await log.outputs()
    outputs = await log.judge(prefix, await log.send(doing(log.partitions)))

    decisions = [decode(r.value, "decision") for records in outputs.decisions.values() for r in records]
    effects = {agent: [d["effect"] for d in decisions if d["agent_id"] == agent] for agent in AGENTS}
    assert effects == {"other": ["deny", "defer"], "rotator": ["allow", "allow"]}
    assert {muted: threats_counted(muted) - was for muted, was in before.items()} == {"yes": 1, "no": 1}

    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"threats_{uuid4().hex[:8]}")
    await asyncio.to_thread(migrate, settings)
    rows = await rows_of(log, prefix, settings, len(AGENTS))
    assert [(agent, muted_by) for agent, muted_by, *_ in rows] == [("other", None), ("rotator", "rotation")]
    first = {d["agent_id"]: d["event_id"] for d in reversed(decisions)}
    for agent, _, spans, runbook in rows:
        ((event_id, field, start, end, text),) = (tuple(_values(span)) for span in spans)
        assert (event_id, field) == (first[agent], "arguments")
        assert PASSWORD in ARGUMENTS[start:end] and PASSWORD not in text and text
        assert "leaked" in runbook


def _values(span: Any) -> Any:
    return span.values() if isinstance(span, dict) else span
