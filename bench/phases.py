"""A govern worker as a process, the phases of load that it is put through, and what is seen of it."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from bench.flood import Flood
from bench.measure import PAGE
from bench.stack import PARTITIONS, Log
from runtime.embedded.probe import ask
from runtime.embedded.process import end, free_port, spawn, tail
from runtime.errors import PraetorError
from runtime.kafka import start_consumer
from schemas.codec import decode
from schemas.topics import DECISIONS

NORMAL = 0.5
OVER = 3.0
CAPACITY_SECONDS = 15.0
FIRST_LOOKS = 300
MARK = b"probe-"


@dataclass
class Phase:
    """What was seen of the worker during one stretch."""

    name: str
    seconds: float = 0.0
    rss: list[int] = field(default_factory=list)
    lag: list[int] = field(default_factory=list)
    age: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    sent: int = 0


class Govern:
    """The real command, as a process."""

    def __init__(self, log: Log, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / f"govern-{self.port}.log"
        env = {
            "PRAETOR_BOOTSTRAP": log.bootstrap,
            "PRAETOR_KEYS_DIR": log.keys,
            "PRAETOR_METRICS_PORT": str(self.port),
        }
        self.process = spawn([sys.executable, "-P", "-m", "cli.main", "govern"], self._log, env)

    def rss(self) -> int:
        """Resident bytes (Linux)."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    async def lag(self) -> tuple[int, float]:
        """Records not judged, age of the oldest."""
        found = await self._ready(lambda status, body: "lag" in body.get("checks", {}))
        return found["lag"]["records"], found["lag"]["oldest_seconds"]

    async def ready(self) -> None:
        """Wait until it judges."""
        await self._ready(lambda status, body: status == 200)

    async def _ready(self, wanted: Callable[[int, Any], bool]) -> dict[str, Any]:
        for _ in range(600):
            status, body = await asyncio.to_thread(ask, self.port, "/readyz")
            if wanted(status, body):
                return dict(body["checks"])
            if self.process.poll() is not None:
                raise PraetorError(f"govern ended: {tail(self._log)}")
            await asyncio.sleep(0.2)
        raise PraetorError(f"govern does not become ready: {tail(self._log)}")

    def end(self) -> None:
        """Stop it."""
        end(self.process, 30)


class Run:
    """One overload, from an empty log to the verdict."""

    def __init__(self, log: Log, folder: Path, tell: Callable[[str], None]) -> None:
        self.phases: list[Phase] = []
        self.sent: Counter[int] = Counter()
        self.decided: Counter[int] = Counter()
        self._log, self._folder, self._tell = log, folder, tell
        self._latency: dict[str, list[float]] = {}

    async def capacity(self) -> float:
        """Actions a second of a worker that always has more to do."""
        govern = Govern(self._log, self._folder)
        try:
            await govern.ready()
            await self._flood(Flood(self._log.bootstrap, PARTITIONS, 8_000, 5, "fill"))
            before, begun = await self._first_pace(govern), time.monotonic()
            while True:
                await asyncio.sleep(1)
                lag, seconds = (await govern.lag())[0], time.monotonic() - begun
                if seconds > CAPACITY_SECONDS or lag < 100:
                    break
            if lag < 100 and seconds < 3:
                raise PraetorError("the worker is too fast to be overloaded here: take more --rules")
            await self._drained(govern, Phase("fill"), 600)
            return (before - lag) / seconds
        finally:
            await asyncio.to_thread(govern.end)

    async def _first_pace(self, govern: Govern) -> int:
        """Wait until the lag is seen and then falls, since the first batch is the largest; return the lag."""
        first, looks = (await govern.lag())[0], 0
        while (lag := (await govern.lag())[0]) >= first and looks < FIRST_LOOKS:
            first, looks = max(first, lag), looks + 1
            await asyncio.sleep(0.2)
        return lag

    async def phases_of(self, capacity: float, normal: float, over: float, drain: float) -> None:
        """A fresh worker through all phases; seconds of each."""
        govern = Govern(self._log, self._folder)
        try:
            await govern.ready()
            await self._load(govern, "warm-up", NORMAL * capacity, normal / 2)
            await self._load(govern, "normal", NORMAL * capacity, normal)
            await self._load(govern, "overload", OVER * capacity, over)
            drained = Phase("drain")
            await self._drained(govern, drained, drain)
            self.phases.append(drained)
            await self._load(govern, "after", NORMAL * capacity, normal)
            await self._drained(govern, Phase("end"), drain)
        finally:
            await asyncio.to_thread(govern.end)

    async def _load(self, govern: Govern, name: str, rate: float, seconds: float) -> None:
        self._tell(f"{name}: {rate:,.0f} actions/s for {seconds:,.0f} s")
        phase = Phase(name)
        self.phases.append(phase)
        flood = Flood(self._log.bootstrap, PARTITIONS, rate, seconds, f"{MARK.decode()}{name}")
        sending = asyncio.create_task(self._flood(flood))
        begun = time.monotonic()
        while not sending.done():
            await self._sample(govern, phase)
        phase.sent = await sending
        phase.seconds = time.monotonic() - begun

    async def _drained(self, govern: Govern, phase: Phase, patience: float) -> None:
        self._tell(f"{phase.name}: until the lag is gone")
        begun = time.monotonic()
        while not phase.lag or phase.lag[-1]:
            await self._sample(govern, phase)
            phase.seconds = time.monotonic() - begun
            if phase.seconds > patience:
                raise PraetorError(f"still {phase.lag[-1]} actions behind after {patience:.0f} s")

    async def _sample(self, govern: Govern, phase: Phase) -> None:
        lag, age = await govern.lag()
        phase.rss.append(govern.rss())
        phase.lag.append(lag)
        phase.age.append(age)
        await asyncio.sleep(1)

    async def _flood(self, flood: Flood) -> int:
        argv = (sys.executable, "-P", "-m", "bench.flood", flood.to_json())
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        if process.returncode:
            raise PraetorError("the load failed; see above")
        found = json.loads(output)
        self.sent.update({int(p): n for p, n in found["sent"].items()})
        return int(found["count"])

    async def read(self) -> None:
        """Read every decision until cancelled: their number, and how late the probes' are."""
        consumer = await start_consumer(self._log.options, "read_committed")
        try:
            tps = [TopicPartition(DECISIONS.name, p) for p in range(PARTITIONS)]
            consumer.assign(tps)
            for tp in tps:
                consumer.seek(tp, 0)
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                    now = time.time_ns() // 1000
                    self.decided[tp.partition] += len(records)
                    for record in records:
                        if MARK in record.value:
                            found = decode(record.value, "decision")
                            name = found["session_id"].removeprefix(MARK.decode())
                            self._latency.setdefault(name, []).append((now - found["occurred_at"]) / 1000)
        finally:
            await consumer.stop()

    async def all_read(self) -> None:
        """Wait until the reader has as many decisions as were sent, or no more come."""
        seen, still = -1, 0
        while self.decided != self.sent and still < 20:
            await asyncio.sleep(0.5)
            total = sum(self.decided.values())
            seen, still = total, still + 1 if total == seen else 0
        for phase in self.phases:
            phase.latency_ms = self._latency.get(phase.name, [])

    def phase(self, name: str) -> Phase:
        """A phase by its name."""
        return next(phase for phase in self.phases if phase.name == name)
