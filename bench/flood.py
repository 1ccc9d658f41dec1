"""Steady traffic of any rate from a process of its own: `python -m bench.flood JSON` (see `Flood`).

It prints a line of JSON: what each partition has acknowledged, and how far it fell behind its rate.
"""

import asyncio
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.load import KINDS, TENANT, WEIGHTS
from runtime.kafka import started
from schemas.codec import encode
from schemas.keys import agent_key, partition_of
from schemas.topics import ACTIONS

TICK_SECONDS = 0.05
POOL = 20_000
PROBES_PER_SECOND = 20


@dataclass(frozen=True)
class Flood:
    """What is sent.

    Attributes:
        bootstrap: the brokers.
        partitions: of agent.actions.
        rate: actions a second, probes not counted.
        seconds: how long.
        probe: `session_id` of 20 more actions a second, whose `occurred_at` is the moment of sending; from
            them latency is told.
        agents: how many take turns.
    """

    bootstrap: str
    partitions: int
    rate: float
    seconds: float
    probe: str
    agents: int = 200

    def to_json(self) -> str:
        """The argument of the process."""
        return json.dumps(asdict(self))


def _action(rng: random.Random, agents: int, **more: Any) -> tuple[bytes, bytes]:
    agent = f"agent-{rng.randrange(agents)}"
    project = rng.randrange(200)
    fields = {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "tenant": TENANT,
        "agent_id": agent,
        "session_id": f"session-{agent}",
        "occurred_at": 0,
        "phase": "call",
        "action": rng.choices(KINDS, WEIGHTS)[0],
        "resource": f"/workspace/project-{project}/src/file-{rng.randrange(50)}.py",
        "tool": "editor",
        "arguments": '{"path": "/workspace/src/main.py", "limit": 200, "encoding": "utf-8"}',
        "salt": rng.randbytes(16),
        **more,
    }
    return agent_key(TENANT, agent), encode("action_event", fields)


def _pool(flood: Flood) -> Iterator[tuple[int, bytes, bytes]]:
    """For ever: partition, key, value of actions that were made beforehand."""
    rng = random.Random(1)
    made = [_action(rng, flood.agents) for _ in range(POOL)]
    placed = [(partition_of(key, flood.partitions), key, value) for key, value in made]
    while True:
        yield from placed


async def send(flood: Flood) -> dict[str, Any]:
    """Send it; every record is acknowledged when this returns."""
    options = {"bootstrap_servers": flood.bootstrap}
    producer = await started(AIOKafkaProducer(**options, max_batch_size=1 << 19, linger_ms=5), options)
    rng, pool = random.Random(2), _pool(flood)
    sent: Counter[int] = Counter()
    acks: set[asyncio.Future[Any]] = set()
    done = probes = 0
    late = 0.0
    begun = time.monotonic()
    try:
        while (at := time.monotonic() - begun) < flood.seconds:
            builders: dict[int, Any] = {}
            for _ in range(int(at * flood.rate) - done):
                partition, key, value = next(pool)
                builder = builders.get(partition) or builders.setdefault(partition, producer.create_batch())
                if builder.append(timestamp=None, key=key, value=value) is None:
                    break  # more than a batch a tick: the rest comes with the next
                done += 1
                sent[partition] += 1
            for partition, builder in builders.items():
                acks.add(await producer.send_batch(builder, ACTIONS.name, partition=partition))
            while probes < at * PROBES_PER_SECOND:
                now = time.time_ns() // 1000
                key, value = _action(rng, flood.agents, session_id=flood.probe, occurred_at=now)
                partition = partition_of(key, flood.partitions)
                acks.add(await producer.send(ACTIONS.name, value, key, partition=partition))
                sent[partition] += 1
                probes += 1
            acks = {ack for ack in acks if not ack.done() or ack.result() is None}
            late = max(late, time.monotonic() - begun - at)
            await asyncio.sleep(max(0.0, at + TICK_SECONDS - (time.monotonic() - begun)))
        await asyncio.gather(*acks)
    finally:
        await producer.stop()
    return {"sent": dict(sent), "count": sum(sent.values()), "longest_tick": late}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(send(Flood(**json.loads(sys.argv[1]))))))
