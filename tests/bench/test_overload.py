"""That the load is what it says, and the verdict sees what it must; the ten minutes are `make overload`."""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from aiokafka import TopicPartition

from bench.flood import Flood
from bench.overload import verdicts
from bench.phases import Phase, Run
from bench.stack import NO_LOG, PARTITIONS
from runtime.embedded.services import Broker
from runtime.kafka import Ends
from schemas.topics import ACTIONS
from streams.topics import Wanted, create_topics

MIB = 1 << 20


async def test_a_flood_is_acknowledged_record_for_record(own_broker: Broker) -> None:
    options = {"bootstrap_servers": own_broker.bootstrap}
    await create_topics(options, Wanted(PARTITIONS))
    flood = Flood(own_broker.bootstrap, PARTITIONS, 500, 2, "probe-x")
    argv = [sys.executable, "-m", "bench.flood", flood.to_json()]
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    ends = Ends(options)
    await ends.start()
    try:
        for partition in range(PARTITIONS):
            end = await ends.high_watermark(TopicPartition(ACTIONS.name, partition))
            assert found["sent"].get(str(partition), 0) == end
    finally:
        await ends.stop()
    assert found["count"] > 0


def run_of(after_rss: int = 110, decided: int = 100, p99: float = 40.0) -> Run:
    """A run whose figures are given; those not given are well."""
    run = Run(NO_LOG, Path(tempfile.gettempdir()), lambda text: None)
    rss = {"normal": 100, "overload": 120, "drain": 118, "after": after_rss}
    latency = {"normal": 30.0, "after": p99}
    run.phases = [
        Phase(name, 1.0, [size * MIB], [7], [0.1], [latency[name]] if name in latency else [])
        for name, size in rss.items()
    ]
    run.sent.update({0: 100})
    run.decided.update({0: decided})
    return run


def test_the_verdict_sees_memory_loss_doubles_and_lasting_delay() -> None:
    assert [well for _, well, _ in verdicts(run_of())] == [True] * 4
    assert [well for _, well, _ in verdicts(run_of(after_rss=130))] == [False, True, True, True]
    assert [well for _, well, _ in verdicts(run_of(decided=99))] == [True, False, True, True]
    assert [well for _, well, _ in verdicts(run_of(decided=101))] == [True, False, True, True]
    assert [well for _, well, _ in verdicts(run_of(p99=100.0))] == [True, True, True, False]
