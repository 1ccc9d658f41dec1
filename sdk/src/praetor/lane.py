"""A partition's way out: what a connection is, and what waits for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Any, Protocol

from praetor.buffer import Event


class TooLarge(Exception):
    """The broker will never take this batch: it is too large for it."""


class Connection(Protocol):
    """A way to a topic; see `Sender` for what it raises."""

    def partition(self, key: bytes) -> int:
        """The partition of a key."""

    async def send(self, partition: int, events: list[Event]) -> tuple[int, Awaitable[Any]]:
        """Hand over as many of the first events as fit in one batch, and how to wait for their arrival."""

    async def close(self) -> None:
        """Leave; nothing is waited for."""


MOST = 5_000


class Lane:
    """The events of one partition that are not acknowledged."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.under_way = 0
        self.most = MOST
        self.task: asyncio.Task[None] | None = None
