"""What a worker says to agent.workers: at start, when something changes, every 15 s, and at its end."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from judgement.engine import ENGINE
from runtime.abandon import abandon
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Options, check_access, started
from runtime.metrics import CLOCK_AHEAD, WORKER_REPORTS_FAILED
from schemas.topics import WORKERS, topic_name
from streams.control_view import ControlView
from streams.pipeline import Pipeline
from streams.topics import existing_topics
from streams.workers import WorkerStatus

log = structlog.get_logger()

LOOK_SECONDS = 0.05
LEAST_SECONDS = 0.2
MOST_SECONDS = 15.0
RETRY_SECONDS = 15.0
LEAVE_SECONDS = 2.0
LONGEST_WHY = 300
OFF_SECONDS = 5.0


class Applied(NamedTuple):
    """What the report is about."""

    log_id: str
    partitions: tuple[int, ...]
    control_offset: int
    bundle: str | None
    bundle_offset: int | None
    canary: str | None
    refused: tuple[tuple[int, str], ...]


def applied(view: ControlView, pipelines: Mapping[int, Pipeline]) -> Applied:
    """What a worker has applied: a batch that is still being written holds its control offset back."""
    writing = [p.writing_under for p in pipelines.values() if p.writing_under is not None]
    stable = view.bundles.in_force.stable
    return Applied(
        log_id=view.log_id,
        partitions=tuple(sorted(pipelines)),
        control_offset=min([view.offset, *writing]),
        bundle=None if view.rules is None else view.rules.digest,
        bundle_offset=None if view.rules is None or stable is None else stable.offset,
        canary=None if view.canary is None else view.canary.rules.digest,
        refused=tuple((offset, why[:LONGEST_WHY]) for offset, why in view.refused),
    )


class WorkerReport:
    """Says what a worker has applied, as often as it changes, at most five times a second.

    Nothing here holds up judging: it has a producer and a task of its own, and what fails is logged, counted
    and tried again. The topic may be missing or closed to us: then nobody hears of this worker.
    """

    def __init__(self, options: Options, prefix: str, ask: Callable[[], Applied]) -> None:
        self.worker_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._options = options
        self._topic = topic_name(WORKERS, prefix)
        self._ask = ask
        self._started_at = _now_ms()
        self._producer: AIOKafkaProducer | None = None
        self._known: tuple[int, int] = (-1, 0)
        self._spoke = False
        self._clock_is_off = False

    async def run(self) -> None:
        """Report until cancelled."""
        told = ""
        while True:
            try:
                await self._connect()
                await self._report()
            except (KafkaError, PraetorError, Unavailable) as error:
                WORKER_REPORTS_FAILED.inc()
                reason = str(error) or type(error).__name__
                if reason != told:
                    told = reason
                    log.warning("nobody hears what this worker has applied; judging goes on", reason=reason)
            await self._disconnect()
            await asyncio.sleep(RETRY_SECONDS)

    async def stop(self) -> None:
        """Take leave, if the broker listens."""
        if self._producer is not None and self._spoke:
            try:
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._producer.send_and_wait(self._topic, key=self.worker_id.encode(), partition=0)
            except (KafkaError, TimeoutError) as error:
                log.info("left agent.workers without a word", reason=str(error) or type(error).__name__)
        await self._disconnect()

    async def _connect(self) -> None:
        await check_access(self._options, {self._topic: ("Write",)})
        if self._topic not in await existing_topics(self._options):
            raise PraetorError(f"topic {self._topic} is missing; make it: praetor topics create")
        self._producer = await started(
            AIOKafkaProducer(**self._options, enable_idempotence=True, request_timeout_ms=10_000),
            self._options,
        )

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)

    async def _report(self) -> None:
        said: Applied | None = None
        at = 0.0
        while True:
            now, since = self._look(), time.monotonic() - at
            if said is None or since >= MOST_SECONDS or (now != said and since >= LEAST_SECONDS):
                said, at = now, time.monotonic()
                await self._tell(now)
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> Applied:
        now = self._ask()
        if now.control_offset != self._known[0]:
            self._known = now.control_offset, _now_ms()
        return now

    async def _tell(self, now: Applied) -> None:
        if self._producer is None:
            raise RuntimeError("telling comes after connecting")
        status = WorkerStatus(
            worker_id=self.worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._started_at,
            told_at=_now_ms(),
            engine=ENGINE,
            applied_at=self._known[1],
            **now._asdict(),
        )
        self._spoke = True
        key = self.worker_id.encode()
        sent = await self._producer.send_and_wait(self._topic, status.to_bytes(), key=key, partition=0)
        self._compare(ahead(status.told_at, _now_ms(), sent.timestamp))

    def _compare(self, seconds: float) -> None:
        """Tell of a clock that is off, once until it is right again: judging goes by the broker's alone."""
        CLOCK_AHEAD.set(seconds)
        if (off := abs(seconds) > OFF_SECONDS) and not self._clock_is_off:
            log.warning(
                "this machine's clock is not the broker's; limits and expiries go by the broker's",
                ahead_seconds=round(seconds),
                remedy="set both by NTP (chronyc tracking)",
            )
        self._clock_is_off = off


def ahead(begun: int, ended: int, stamped: int) -> float:
    """Seconds by which this machine's clock is at least ahead of the broker's (negative: behind).

    `stamped` is when the broker took a record that was under way from `begun` to `ended` by our clock, all in
    milliseconds; 0 where it lies between.
    """
    return (max(0, begun - stamped) - max(0, stamped - ended)) / 1000


def _now_ms() -> int:
    return int(time.time() * 1000)
