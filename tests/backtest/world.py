"""Three days of a fleet: judged by the very Partition at times of our choosing, kept in both stores."""

import asyncio
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaProducer

from consumers.archive import Archive, Job
from consumers.place import Pace
from judgement.loading import set_detections
from policies.bundle import Bundle, build_bundle
from policies.model import Policy
from runtime.settings import Settings
from schemas.codec import encode
from schemas.keys import agent_key, partition_of
from schemas.topics import DECISIONS, SNAPSHOTS
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate
from streams.cells import Cells
from streams.control import read_view
from streams.control_view import ControlView
from streams.keyring import CONTROL, read_verify_keys
from streams.partition import Partition, Place, SourceRecord
from streams.progress import Progress
from streams.snapshots import DAY_MS
from streams.standing_orders import payload
from tests.streams.helpers import Log

PARTITIONS = 2
AGENTS = 24
STEP_MS = 97_000
ACTIONS = ("read:file", "read:file", "write:file", "pay:invoice", "exec:shell")

DETECTIONS: dict[str, Any] = {
    "apiVersion": "praetor/v1",
    "kind": "Detections",
    "library": False,
    "detections": {"denial-burst": {"count": 3, "window_seconds": 7200}},
}


def policy(name: str, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A policy document."""
    return {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": name, "description": name},
        "rules": [{"message": f"said by {rule['id']}", **rule} for rule in rules],
        "cases": [
            {"name": "yes", "action": {"action": "read:x"}, "expect": "allow"},
            {"name": "no", "action": {"action": "other:x"}, "expect": "deny"},
        ],
    }


def live(calls: int = 30) -> dict[str, Any]:
    """Limits, conditions on what is remembered, detections, edits: everything that has a state, or a text."""
    return policy(
        "live",
        [
            {"id": "read", "effect": "allow", "match": {"actions": ["read:*"]}},
            {"id": "write", "effect": "allow", "match": {"actions": ["write:*"]}},
            {"id": "pay", "effect": "allow", "match": {"actions": ["pay:*"]}},
            {
                "id": "clamp",
                "effect": "modify",
                "match": {"actions": ["pay:*"]},
                "when": "args.amount > 100",
                "modify": [{"clamp": "amount", "max": 100}],
            },
            {"id": "daily", "effect": "deny", "match": {}, "limit": {"calls": calls, "calendar": "day"}},
            {
                "id": "session",
                "effect": "require_approval",
                "match": {"actions": ["write:*"]},
                "limit": {"calls": 5, "per": "session", "window": "12h"},
            },
            {"id": "burst", "effect": "deny", "match": {"detections": ["denial-burst"]}, "severity": "high"},
            {
                "id": "worn",
                "effect": "defer",
                "match": {"actions": ["pay:*"]},
                "when": "agent.denials > 40 || session.actions > 60",
            },
            {"id": "never", "effect": "deny", "match": {"actions": ["launch:*"]}},
        ],
    )


def candidate() -> dict[str, Any]:
    """Another limit, shells with a condition that can fail, edits to another amount, one rule less."""
    found = live(calls=20)
    rules = {rule["id"]: rule for rule in found["rules"]}
    rules["clamp"] = {**rules["clamp"], "modify": [{"clamp": "amount", "max": 50}]}
    del rules["worn"]
    rules["shell"] = {
        "id": "shell",
        "effect": "allow",
        "match": {"actions": ["exec:*"]},
        "when": "args.amount < 200",
        "message": "small shells",
    }
    return {**found, "rules": list(rules.values())}


def bundle_of(document: dict[str, Any]) -> Bundle:
    """Its bundle."""
    detections = set_detections(DETECTIONS["detections"])
    return build_bundle([Policy.model_validate(document)], detections)


class Arrived(NamedTuple):
    """An action as govern consumes it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass
class World:
    """What happened, and where it is kept.

    `inputs` are all records by partition; `moments` by a time the cells of all agents as they were then.
    """

    log: Log
    settings: Settings
    prefix: str
    begin: int
    inputs: dict[int, list[Arrived]] = field(default_factory=dict)
    decisions: dict[int, list[bytes]] = field(default_factory=dict)
    snapshots: dict[int, list[bytes]] = field(default_factory=dict)
    moments: dict[int, dict[bytes, Cells]] = field(default_factory=dict)
    views: list[tuple[int, ControlView]] = field(default_factory=list)

    def env(self, **more: str) -> dict[str, str]:
        return {
            "PRAETOR_BOOTSTRAP": self.log.bootstrap,
            "PRAETOR_CLICKHOUSE_URL": self.settings.clickhouse_url,
            "PRAETOR_CLICKHOUSE_DATABASE": self.settings.clickhouse_database,
            "PRAETOR_KEYS_DIR": str(self.log.keys),
            "PRAETOR_TOPIC_PREFIX": self.prefix,
            **more,
        }


def actions(begin: int, days: int) -> dict[int, list[Arrived]]:
    """What the fleet does, in the order of the log; one in fifty comes under a wrong key."""
    rng = Random(5)
    found: dict[int, list[Arrived]] = {p: [] for p in range(PARTITIONS)}
    numbers = [0] * AGENTS
    for at in range(begin, begin + days * DAY_MS, STEP_MS):
        who = rng.randrange(AGENTS)
        # the later ones are new on the second day
        if who > 18 and at < begin + DAY_MS:
            continue
        fields = {
            "event_id": str(UUID(int=rng.getrandbits(128), version=4)),
            "tenant": f"tenant-{who % 3}",
            "agent_id": f"agent-{who}/ü",
            "session_id": f"s{at // DAY_MS}-{rng.randrange(2)}",
            "occurred_at": at * 1000,
            "action": "exec:shell" if who % 6 == 0 else rng.choice(ACTIONS),
            "resource": f"/srv/{rng.randrange(30)}",
            "tool": rng.choice((None, "bash", "editor")),
            "salt": rng.randbytes(16),
            "phase": rng.choice(("call", "call", "result")),
        }
        if rng.random() < 0.8:
            fields["arguments"] = json.dumps({"amount": rng.randrange(300), "to": "bob"})
        if who % 2:
            fields |= {"producer_id": "p", "producer_epoch": 1, "producer_seq": numbers[who]}
            numbers[who] += rng.choice((1, 1, 1, 1, 1, 0, 2))
        key = agent_key(str(fields["tenant"]), str(fields["agent_id"]))
        into = found[partition_of(key, PARTITIONS)]
        wrong = rng.random() < 0.02
        into.append(Arrived(len(into), at, b"wrong" if wrong else key, encode("action_event", fields)))
    return found


async def live_through(world: World) -> None:
    """Judge it all; on the second day a kill comes, on the third another bundle."""
    log = world.log
    begin = world.begin
    await log.publish(bundle_of(live()))
    changes: list[tuple[int, ControlView]] = [(begin, await view_of(log))]
    kill = payload(
        target={"kind": "agent", "tenant": "tenant-1", "agent": "agent-7/ü"},
        reason="it paid twice",
        expires_at=begin + DAY_MS + DAY_MS // 2,
    )
    await log.order("kill", kill)
    changes.append((begin + DAY_MS + DAY_MS // 4, await view_of(log)))
    await log.publish(bundle_of(live(calls=25)))
    changes.append((begin + 2 * DAY_MS + DAY_MS // 2, await view_of(log)))
    world.views = changes
    world.inputs = actions(begin, 3)
    noted = [begin, begin + 2 * DAY_MS, begin + DAY_MS + DAY_MS // 3]
    for number, records in world.inputs.items():
        judge_under(world, number, records, changes, noted)


def judge_under(
    world: World,
    number: int,
    records: list[Arrived],
    changes: list[tuple[int, ControlView]],
    noted: list[int],
) -> None:
    """Judge a partition's records; `noted` are times whose cells are kept as moments."""
    place = Place(world.log.view.log_id, number, PARTITIONS)
    partition = Partition(place, Progress(place.log_id), {})
    decisions, snapshots = world.decisions.setdefault(number, []), world.snapshots.setdefault(number, [])
    cuts = sorted({at for at, _ in changes} | set(noted))
    for at, following in zip(cuts, [*cuts[1:], 1 << 62], strict=True):
        view = next(view for since, view in reversed(changes) if since <= at)
        assert view.rules is not None
        partition.under(view.rules, view.offset, view.canary)
        world.moments.setdefault(at, {}).update(deepcopy(partition.agents))
        batch: Sequence[SourceRecord] = [r for r in records if at <= r.timestamp < following]
        came = partition.judge(batch)
        partition.commit(came)
        decisions += [value or b"" for _, value in came.decisions]
        snapshots += [value or b"" for _, value in came.snapshots]


async def view_of(log: Log) -> ControlView:
    """What is in force now."""
    return await read_view(log.options, read_verify_keys(log.keys, CONTROL))


async def keep(world: World) -> None:
    """Bring decisions and snapshots to Kafka, and from there to ClickHouse."""
    producer = AIOKafkaProducer(**world.log.options)
    await producer.start()
    sent = []
    for topic, held in ((DECISIONS, world.decisions), (SNAPSHOTS, world.snapshots)):
        name = world.prefix + topic.name
        for number, values in held.items():
            sent += [await producer.send(name, value, partition=number) for value in values]
    await asyncio.gather(*sent)
    await producer.stop()
    await asyncio.to_thread(migrate, world.settings)
    archive = Archive(
        world.log.options,
        ClickHouseSink(world.settings),
        Job(world.prefix, pace=Pace(dry=0.05, linger=0.2)),
    )
    task = asyncio.create_task(archive.run())
    client = connect(world.settings)
    wanted = [sum(len(of) for of in held.values()) for held in (world.decisions, world.snapshots)]
    sql = "SELECT (SELECT count() FROM decisions), (SELECT count() FROM snapshots)"
    while list((await asyncio.to_thread(client.query, sql)).result_rows[0]) != wanted:
        assert not task.done(), await task
        await asyncio.sleep(0.1)
    client.close()
    archive.stop.set()
    await task


def make_world(bootstrap: str, settings: Settings, folder: Path, begin: int) -> World:
    """All of it."""

    async def make() -> World:
        log = await Log(bootstrap, folder / "keys", PARTITIONS).mint()
        world = World(log, settings, await log.outputs(), begin)
        await live_through(world)
        await keep(world)
        return world

    return asyncio.run(make())
