"""Owners of one partition of govern, without a group: the test says who works when, and where it stops."""

import asyncio
from types import TracebackType
from typing import Any, Self

import pytest
from aiokafka.errors import IllegalOperation, KafkaError

import streams.pipeline
from runtime.errors import Unavailable
from streams.govern import Worker
from streams.partition import Batch
from streams.pipeline import Pipeline
from streams.transaction import Writer
from tests.streams.helpers import Log

BATCH = 20


class Hook:
    """Stops whoever comes to the n-th write, before it or after it, until it is let go."""

    def __init__(self, number: int, after: bool) -> None:
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self._left = number
        self._after = after

    async def pass_by(self, after: bool, number: int) -> None:
        if after == self._after and number == self._left and not self.reached.is_set():
            self.reached.set()
            await self.release.wait()


def hooked(monkeypatch: pytest.MonkeyPatch, hook: Hook, base: type[Writer] = Writer) -> None:
    """Have pipelines write with a writer that comes by the hook; a batch's write begins after it."""

    class Hooked(base):  # type: ignore[misc, valid-type]
        writes = 0

        async def write(self, batch: Batch, checkpoint: bytes | None) -> None:
            self.writes += 1
            await hook.pass_by(after=False, number=self.writes)
            await super().write(batch, checkpoint)
            await hook.pass_by(after=True, number=self.writes)

    monkeypatch.setattr(streams.pipeline, "Writer", Hooked)


class Small:
    """Batches of few records."""

    limit = BATCH

    def learn(self, records: int, seconds: float) -> None: ...


class Judge:
    """An owner of partition 0: takes over at once, judges until the end of the block."""

    def __init__(self, log: Log, prefix: str) -> None:
        self._worker: Worker = log.worker(prefix)
        self._tasks: list[asyncio.Task[Any]] = []
        self.pipeline: Pipeline

    async def __aenter__(self) -> Self:
        await self._worker._open()
        self._tasks.append(asyncio.create_task(self._worker._control.follow()))
        self.pipeline = self._worker._begin(0)
        self.pipeline._size = Small()  # type: ignore[assignment]
        await self.pipeline.take_over()
        self._tasks.append(asyncio.create_task(self.pipeline.run()))
        return self

    async def die(self) -> None:
        """Stop where it stands, as kill -9 would; what is in flight stays so."""
        self._tasks[1].cancel()
        await asyncio.gather(self._tasks[1], return_exceptions=True)
        await self.pipeline.close()

    async def end(self) -> None:
        """Wait until it is asked to stop, or finds that it no longer owns the partition."""
        self.pipeline.stopping.set()
        try:
            await self._tasks[1]
        except (KafkaError, IllegalOperation, Unavailable, asyncio.CancelledError):
            pass

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()
        await self.pipeline.close()
        self._tasks[0].cancel()
        await asyncio.gather(self._tasks[0], return_exceptions=True)
        await self._worker._close()
