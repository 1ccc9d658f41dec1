"""The sink seen from coroutines: its calls run in threads, and are tried again while ClickHouse is away."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from consumers.cut import Source
from runtime import metrics
from runtime.errors import Unavailable
from runtime.health import Check
from sinks.batch import Batch
from sinks.clickhouse import ClickHouseSink

log = structlog.get_logger()

T = TypeVar("T")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0


class Destination:
    """ClickHouse. What is refused for good is raised (PraetorError).

    While ClickHouse is away the same call is repeated, until the caller is cancelled. Who writes takes one
    of the `turns` first: who waits for one reads on meanwhile, so that batches grow with the load.
    """

    def __init__(self, sink: ClickHouseSink, parallel: int) -> None:
        self._sink = sink
        self._away: dict[int, tuple[float, str]] = {}
        self._calls = 0
        metrics.CLICKHOUSE_AWAY.set_function(lambda: self._away_seconds()[0])
        self.turns = asyncio.Semaphore(parallel)

    def check(self) -> Check:
        """Whether ClickHouse takes what it is given: readiness, asked by another thread."""
        seconds, reason = self._away_seconds()
        return Check(not reason, {"away_seconds": round(seconds, 1), "reason": reason})

    def _away_seconds(self) -> tuple[float, str]:
        since, reason = min(list(self._away.values()), default=(0.0, ""))
        return (time.monotonic() - since, reason) if reason else (0.0, "")

    async def open(self) -> None:
        """Connect, waiting for ClickHouse if need be."""
        await self._insist(self._sink.open)

    async def write(self, batch: Batch) -> None:
        """Insert a batch and return once it is stored."""
        await self._insist(lambda: self._sink.write(batch))

    async def count(self, batch: Batch) -> tuple[int, ...]:
        """How many rows of the batch are stored, in its table and in each derived from it."""
        return await self._insist(lambda: self._sink.count(batch))

    async def remembers(self, batch: Batch) -> bool:
        """Whether a batch that is stored may be written again, to complete what was derived from it."""
        return await self._insist(lambda: self._sink.remembers(batch))

    async def holds(self, source: Source) -> bool:
        """Whether any row of the source is stored."""
        return await self._insist(lambda: self._sink.holds(source.table, source.log_id, source.partition))

    async def holds_seq(self, source: Source, seq: int) -> bool:
        """Whether the row of this number is stored."""
        return await self._insist(
            lambda: self._sink.holds_seq(source.table, source.log_id, source.partition, seq)
        )

    async def close(self) -> None:
        """Disconnect."""
        self._sink.close()

    async def _insist(self, call: Callable[[], T]) -> T:
        pause, since = FIRST_PAUSE, time.monotonic()
        self._calls += 1
        number = self._calls
        try:
            while True:
                try:
                    return await asyncio.to_thread(call)
                except Unavailable as error:
                    log.warning("ClickHouse is away, trying again", reason=str(error), pause=pause)
                    self._away[number] = since, str(error)
                    metrics.CLICKHOUSE_RETRIES.inc()
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._away.pop(number, None)
