"""The client of coroutines: what would block awaits."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from praetor.client import CLOSE_SECONDS, Client, given
from praetor.errors import BufferFull
from praetor.record import Encoded
from praetor.recorder import Recorder
from praetor.report import Report

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from praetor.fields import Fields

POLL_SECONDS = 0.005


class AsyncPraetor(Client):
    """`Praetor` for coroutines: a full buffer is awaited, and any event loop will do."""

    async def action(
        self,
        action: str,
        resource: str = "",
        phase: str = "call",
        *,
        arguments: Any = None,
        content: Any = None,
        parent: str | None = None,
        **fields: Unpack[Fields],
    ) -> str:
        """Take one event; see `Praetor.action`. A full buffer is awaited; other coroutines run meanwhile."""
        event = self._recorder.build(given(action, resource, phase, arguments, content, parent, fields))
        await put(self._recorder, event)
        return event.event_id

    async def flush(self, timeout: float | None = CLOSE_SECONDS) -> Report:
        """See `Praetor.flush`."""
        return await asyncio.get_running_loop().run_in_executor(None, self._recorder.flush, timeout)

    async def close(self, timeout: float | None = CLOSE_SECONDS) -> Report:
        """See `Praetor.close`."""
        return await asyncio.get_running_loop().run_in_executor(None, self.end, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def put(recorder: Recorder, event: Encoded) -> None:
    """Queue an event without blocking the event loop.

    Raises:
        BufferFull, Closed: see `Recorder.put`.
    """
    deadline = time.monotonic() + recorder.options.wait
    while True:
        try:
            return recorder.put(event, 0.0)
        except BufferFull:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(POLL_SECONDS)
