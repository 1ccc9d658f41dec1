"""Trying again while a destination is away, and saying so once in a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError

from runtime.errors import Unavailable

log = structlog.get_logger()

T = TypeVar("T")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
SAY_SECONDS = 30.0


async def insist(call: Callable[[], Awaitable[T]], what: str, stop: asyncio.Event | None = None) -> T | None:
    """Await `call()` until it comes through; pauses double from 0.2 s to 5 s. None once `stop` is set.

    What is missing is logged at the first failure, when it changes, and every 30 s. A call that is under way
    when `stop` is set is cancelled.

    Raises:
        PraetorError: waiting would not help.
    """
    stop = stop or asyncio.Event()
    pause, said, told = FIRST_PAUSE, "", 0.0
    while not stop.is_set():
        try:
            return await _unless(stop, call())
        except (Unavailable, KafkaError) as error:
            reason = str(error) or type(error).__name__
        if reason != said or time.monotonic() - told >= SAY_SECONDS:
            said, told = reason, time.monotonic()
            log.warning("waiting", to=what, reason=reason)
        await _unless(stop, asyncio.sleep(pause))
        pause = min(2 * pause, LONGEST_PAUSE)
    return None


async def _unless(stop: asyncio.Event, doing: Awaitable[T]) -> T | None:
    task, stopped = asyncio.ensure_future(doing), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for future in (task, stopped):
            future.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
