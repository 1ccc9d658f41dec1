"""Folds on a real broker, as govern writes them, and workers of correlate as processes."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer, TopicPartition

from runtime.embedded.process import end, spawn
from runtime.kafka import Ends, read_partition
from schemas.codec import decode, encode
from schemas.topics import (
    CORRELATIONS,
    FOLDS,
    FOLDS_BY_GROUP,
    INCIDENT_ORDERS,
    INCIDENTS,
    Topic,
    topic_name,
)
from streams.topics import Wanted, create_topics
from tests.correlate.making import fold
from tests.correlate.naive import Naive, told
from tests.streams.helpers import Log

TOPICS = (CORRELATIONS, FOLDS, FOLDS_BY_GROUP, INCIDENTS, INCIDENT_ORDERS)


class Correlating:
    """Outputs of their own on a log; what was sent to them, and what must have come of it."""

    def __init__(self, log: Log, folder: Path) -> None:
        self.log = log
        self.prefix = f"c{uuid4().hex[:8]}."
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.started = 0

    async def prepare(self) -> "Correlating":
        await create_topics(self.log.options, Wanted(self.log.partitions, prefix=self.prefix))
        return self

    def start(self, command: str = "correlate", **more: str) -> None:
        argv = [sys.executable, "-m", "cli.main", command, "--topic-prefix", self.prefix]
        self.started += 1
        self.running.append(spawn(argv, self.folder / f"{command}-{self.started}.log", self._env() | more))

    def _env(self) -> dict[str, str]:
        return {
            "PRAETOR_BOOTSTRAP": self.log.bootstrap,
            "PRAETOR_KEYS_DIR": str(self.log.keys),
            "PRAETOR_METRICS_PORT": "0",
        }

    async def command(self, *argv: str) -> str:
        """What a command of `praetor` prints.

        Raises:
            AssertionError: it failed.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", *argv),
            env=os.environ | self._env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, wrong = await process.communicate()
        assert process.returncode == 0, wrong.decode()
        return out.decode()

    def kill(self, place: int = 0) -> None:
        process = self.running.pop(place)
        process.kill()
        process.wait()

    def close(self) -> None:
        for process in self.running:
            end(process, 20)

    async def send(self, folds: list[dict[str, Any]], abort: bool = False) -> None:
        """Append folds in one transaction, each to its own partition, as govern does."""
        producer = AIOKafkaProducer(**self.log.options, transactional_id=uuid4().hex)
        await producer.start()
        try:
            await producer.begin_transaction()
            for one in folds:
                value = encode("fold", one | {"log_id": self.log.view.log_id})
                await producer.send(topic_name(FOLDS, self.prefix), value, partition=one["partition"])
            await (producer.abort_transaction() if abort else producer.commit_transaction())
        finally:
            await producer.stop()

    def folds(self, chance: Random, count: int, at: int, agents: int = 6) -> list[dict[str, Any]]:
        return [
            fold(chance, at + n * 40, chance.randrange(self.log.partitions), agents=agents)
            for n in range(count)
        ]

    async def read(self, topic: Topic, schema: str) -> list[tuple[TopicPartition, Any, dict[str, Any]]]:
        ends, found = Ends(self.log.options), []
        await ends.start()
        try:
            for p in range(self.log.partitions):
                tp = TopicPartition(topic_name(topic, self.prefix), p)
                start, stop = await ends.beginning(tp), await ends.stable_end(tp)
                async for records in read_partition(self.log.options, tp, start, stop):
                    found += [(tp, r, decode(r.value, schema)) for r in records if r.value is not None]
        finally:
            await ends.stop()
        return found

    async def expected(self, by: Any) -> dict[str, dict[str, Any]]:
        """The incidents of what stands in agent.folds-by-group, by brute force; repetitions left out."""
        naive: dict[int, Naive] = {}
        seen = set()
        for tp, record, one in await self.read(FOLDS_BY_GROUP, "fold"):
            source = dict(record.headers)["source"]
            if (source, record.key) not in seen:
                seen.add((source, record.key))
                naive.setdefault(tp.partition, Naive(by)).fold(record.offset, record.key, one)
        log_id = self.log.view.log_id[-8:]
        return {
            f"inc-{log_id}-{p}-{made['offset']}": told(made)
            for p, each in naive.items()
            for made in each.found
        }

    async def copies(self) -> dict[tuple[str, bytes], int]:
        found: dict[tuple[str, bytes], int] = {}
        for _, record, _ in await self.read(FOLDS_BY_GROUP, "fold"):
            place = (dict(record.headers)["source"].decode(), record.key)
            found[place] = found.get(place, 0) + 1
        return found


async def until(check: Any, seconds: float = 90) -> Any:
    """What `check` returns once it is true.

    Raises:
        TimeoutError: it was not within the time.
    """
    async with asyncio.timeout(seconds):
        while True:
            found = await check()
            if found:
                return found
            await asyncio.sleep(0.3)
