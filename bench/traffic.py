"""A producer of steady random traffic, and a reader of the decisions that come of it."""

import asyncio
import random
import time
import uuid
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from bench.load import TENANT
from bench.stack import PARTITIONS, Job
from runtime.errors import PraetorError
from runtime.kafka import start_consumer, started
from schemas.codec import decode, encode
from schemas.keys import agent_key, partition_of
from schemas.topics import ACTIONS, DECISIONS, topic_name

AGENTS = 100
SETTLE_SECONDS = 8
"""Until govern, the reader and the producer have started; then as long traffic that is not measured."""
WARM_SECONDS = 5
LATE_SECONDS = 30


def _action(rng: random.Random, session: str) -> tuple[bytes, dict[str, Any]]:
    agent = f"agent-{rng.randrange(AGENTS)}"
    return agent_key(TENANT, agent), {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "tenant": TENANT,
        "agent_id": agent,
        "session_id": session,
        "phase": "call",
        "action": "read:file",
        "resource": f"/workspace/project-{rng.randrange(200)}/src/main.py",
        "tool": "editor",
        "arguments": '{"path": "/workspace/src/main.py", "limit": 200, "encoding": "utf-8"}',
        "salt": rng.randbytes(16),
    }


async def produce(job: Job) -> dict[str, Any]:
    """Send at `rate` a second for `seconds`; `occurred_at` is the moment of sending."""
    rng = random.Random(1)
    rate, seconds = job.settings["rate"], job.settings["seconds"]
    producer = await started(AIOKafkaProducer(**job.log.options, enable_idempotence=True), job.log.options)
    await asyncio.sleep(SETTLE_SECONDS)
    begun = time.monotonic()
    due, acks = 0.0, []
    while due < WARM_SECONDS + seconds:
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
        key, action = _action(rng, "measured" if due >= WARM_SECONDS else "warm-up")
        partition = partition_of(key, PARTITIONS)
        value = encode("action_event", action | {"occurred_at": time.time_ns() // 1000})
        acks.append(await producer.send(ACTIONS.name, value, key, partition=partition))
        due += rng.expovariate(rate)
    await asyncio.gather(*acks)
    key, action = _action(rng, "last")
    for partition in range(PARTITIONS):
        value = encode("action_event", action | {"occurred_at": 0})
        await producer.send_and_wait(ACTIONS.name, value, key, partition=partition)
    await producer.stop()
    return {"sent": len(acks)}


async def read(job: Job) -> dict[str, Any]:
    """Read decisions until the last of each partition; samples are (second of sending, milliseconds)."""
    topic = topic_name(DECISIONS, job.prefix)
    consumer = await start_consumer(job.log.options, "read_committed")
    tps = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    consumer.assign(tps)
    for tp in tps:
        consumer.seek(tp, 0)
    samples: list[tuple[float, float]] = []
    ended = 0
    patience = SETTLE_SECONDS + WARM_SECONDS + job.settings["seconds"] + LATE_SECONDS
    deadline = time.monotonic() + patience
    while ended < PARTITIONS:
        if time.monotonic() > deadline:
            raise PraetorError(f"no last decision in {PARTITIONS - ended} partitions after {patience} s")
        for records in (await consumer.getmany(timeout_ms=500)).values():
            now = time.time_ns() // 1000
            for record in records:
                decision = decode(record.value, "decision")
                if decision["session_id"] == "measured":
                    sent = decision["occurred_at"]
                    samples.append((sent / 1e6, (now - sent) / 1000))
                ended += decision["session_id"] == "last"
    await consumer.stop()
    return {"samples": samples}
