"""What telling of an action costs the thread that acts, while a real broker takes what was told."""

import asyncio
import io
import json
import os
import queue
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import fastavro
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from praetor import Praetor, governed

from bench.measure import Plan, alternate, quantile, ratios, spread
from bench.report import Series, Target
from runtime.embedded.services import Broker
from schemas.catalogue import newest
from schemas.topics import ACTIONS

PARTITIONS = 12
ARGUMENTS = {"path": "/workspace/app.py", "offset": 10, "limit": 200}
PACE_SECONDS = 0.002
OURS, TWO = "action(), one after the other", "@governed: two events"
BARE = "uuid4, json.dumps, fastavro, a queue"
PACED, BARE_PACED = "action(), one in 2 ms", f"{BARE}: one in 2 ms"


class Cost(NamedTuple):
    """Microseconds a call on the caller's thread: CPU, and by the clock."""

    cpu: float
    p50: float
    p99: float


def run(plan: Plan) -> Series:
    """Let the SDK and the least that any client does take turns."""
    calls = 1_000 if plan.quick else 30_000
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="praetor-bench-"))
        broker = stack.enter_context(Broker(Path(folder) / "kafka"))
        asyncio.run(_create(broker.bootstrap))
        client = stack.enter_context(
            Praetor(
                broker.bootstrap, tenant="acme", agent_id="coder-1", session_id="s-1", max_events=2 * calls
            )
        )

        @governed(client=client, resource=lambda said: said["path"])
        def read_file(path: str, offset: int, limit: int) -> None:
            """What is governed does nothing."""

        bare = _bare()

        def act() -> None:
            client.action("read:file", "/workspace/app.py", tool="read_file", arguments=ARGUMENTS)

        def measured(call: Callable[[], object], count: int, pause: float = 0.0) -> Callable[[int], Cost]:
            return lambda number: _measure(client, call, count, pause)

        found = alternate(
            plan,
            {
                BARE: measured(bare, calls),
                OURS: measured(act, calls),
                TWO: measured(lambda: read_file("/workspace/app.py", 10, 200), calls // 2),
                BARE_PACED: measured(bare, calls // 15, PACE_SECONDS),
                PACED: measured(act, calls // 15, PACE_SECONDS),
            },
        )
    return _series(found)


async def _create(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(ACTIONS.name, PARTITIONS, 1, topic_configs=ACTIONS.config)])
    await admin.close()


def _bare() -> Callable[[], object]:
    """The same event without numbers, redaction, limits, and anyone who sends it."""
    schema = newest("action_event").parsed
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def one() -> None:
        record = {
            "event_id": str(uuid.uuid4()),
            "tenant": "acme",
            "agent_id": "coder-1",
            "session_id": "s-1",
            "occurred_at": time.time_ns() // 1000,
            "phase": "call",
            "mode": "observe",
            "action": "read:file",
            "resource": "/workspace/app.py",
            "tool": "read_file",
            "arguments": json.dumps(ARGUMENTS),
            "salt": os.urandom(16),
        }
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, record)
        waiting.put(out.getvalue())

    return one


def _measure(client: Praetor, call: Callable[[], object], count: int, pause: float) -> Cost:
    """The clock and the CPU are read around each call; reading them is part of what is told."""
    client.flush(None)
    clock: list[int] = []
    cpu = 0
    for _ in range(count):
        began, begun = time.thread_time_ns(), time.perf_counter_ns()
        call()
        clock.append(time.perf_counter_ns() - begun)
        cpu += time.thread_time_ns() - began
        if pause:
            time.sleep(pause)
    client.flush(None)
    return Cost(cpu / count / 1000, quantile(clock, 0.5) / 1000, quantile(clock, 0.99) / 1000)


def _series(found: dict[str, list[Cost]]) -> Series:
    cpu = {name: [cost.cpu for cost in costs] for name, costs in found.items()}
    series = Series(
        "sdk",
        "The producers' SDK: µs a call on the caller's thread",
        ("call", "CPU, mean", "p50 by the clock", "p99 by the clock", "CPU ÷ the least"),
        raw={name: [cost._asdict() for cost in costs] for name, costs in found.items()},
    )
    for name, costs in found.items():
        clock = [spread([c.p50 for c in costs]).text(1), spread([c.p99 for c in costs]).text(1)]
        least = cpu[BARE_PACED if name in (PACED, BARE_PACED) else BARE]
        series.rows.append((name, spread(cpu[name]).text(1), *clock, ratios(cpu[name], least).text()))
    series.targets = [
        Target("action(): CPU a call on the caller's thread", spread(cpu[OURS]), most=30, unit=" µs")
    ]
    series.notes = [
        "One agent's calls with three arguments; a real broker on the same machine takes them meanwhile, from"
        " the SDK's own thread, which shares the interpreter's lock: that is in the clock's figures.",
        "The least (that any client does): an id, JSON of the arguments, a salt, Avro by fastavro, a queue;"
        " no numbers, redaction, limits, or sending.",
        "One in 2 ms: caches and branch predictors are cold, as in an agent that thinks in between: the"
        " same work takes several times as long; it is compared with the least at the same pace.",
    ]
    return series
