"""`python -m tests.hostile.soak`: a million mutated records among clean ones, through govern and the archive.

In rounds, each with outputs and a database of its own, each seeded by its number: a round that fails is run
again by `--first N --records 1`. Exit code 1 and the first mistakes where there are any.
"""

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import structlog
from aiokafka.admin import AIOKafkaAdminClient

from runtime.embedded.services import Broker, ClickHouse
from schemas.topics import ACTIONS, TOPICS, topic_name
from tests.hostile.arena import Database, deliver, mistakes, mixed
from tests.streams.helpers import Log

ROUND = 25_000
PARTITIONS = 3
SHOWN = 10


async def run_round(log: Log, clickhouse: str, number: int) -> tuple[int, int, list[str]]:
    """Judge and archive one round's records; how many decisions and dead letters, and what is wrong."""
    rng = Random(number)
    await log.clear()
    prefix = await log.outputs()
    async with log.working(prefix), log.following(prefix) as following:
        await following.reach(await deliver(log, mixed(rng, ROUND, PARTITIONS), rng))
    source, outputs = await log.records(ACTIONS.name), await log.read(prefix)
    wrong = mistakes(log, source, outputs)
    counts = sum(map(len, outputs.decisions.values())), sum(map(len, outputs.dead_letters.values()))
    found = await Database(log, clickhouse).archive(prefix, ROUND)
    if found != counts or sum(counts) != ROUND:
        wrong.append(f"of {ROUND} records {counts} are in Kafka, {found} in ClickHouse")
    await drop(log, prefix)
    return *counts, wrong


async def drop(log: Log, prefix: str) -> None:
    """Delete a round's outputs."""
    admin = AIOKafkaAdminClient(**log.options)
    await admin.start()
    try:
        await admin.delete_topics([topic_name(t, prefix) for t in TOPICS if t.output])
    finally:
        await admin.close()


def main() -> None:
    """Run the rounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.soak", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="at least so many (1000000)")
    parser.add_argument("--first", type=int, default=1, help="number of the first round (1)")
    wanted = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(Path(os.devnull).open("w")))
    with tempfile.TemporaryDirectory(prefix="praetor-hostile-") as folder:
        home = Path(folder)
        with Broker(home / "kafka") as broker, ClickHouse(home / "clickhouse") as clickhouse:
            log = asyncio.run(Log(broker.bootstrap, home / "keys", PARTITIONS).mint())
            sys.exit(rounds(log, clickhouse.url, wanted.first, -(-wanted.records // ROUND)))


def rounds(log: Log, clickhouse: str, first: int, count: int) -> int:
    """Run some rounds; the exit code."""
    decisions = letters = 0
    for number in range(first, first + count):
        began = time.monotonic()
        decided, dead, wrong = asyncio.run(run_round(log, clickhouse, number))
        decisions, letters = decisions + decided, letters + dead
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"round {number}: {decided} decisions, {dead} dead letters, {seconds:.0f} s, peak {peak} MB",
            flush=True,
        )
        if wrong:
            print(f"round {number}: {len(wrong)} mistakes", *wrong[:SHOWN], sep="\n  ")
            return 1
    print(f"{decisions + letters} records: {decisions} decisions, {letters} dead letters, no mistakes")
    return 0


if __name__ == "__main__":
    main()
