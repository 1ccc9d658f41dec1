"""Bounds how many transactions a worker makes a second, so that batches grow instead of the broker's load."""

import asyncio
import time

# at 200 actions a second over 12 partitions, 200 a second is a queue that is nearly full: p99 62-67 ms, with
# 1,000 it is 26-30 ms (docs/adr/0006)
TRANSACTIONS_PER_SECOND = 1_000
BURST = 24


class Pace:
    """A token bucket shared by a worker's pipelines: first come, first served."""

    def __init__(self, per_second: float = TRANSACTIONS_PER_SECOND, burst: int = BURST) -> None:
        self._step = 1.0 / per_second
        self._slack = burst * self._step
        self._next = 0.0

    async def wait(self) -> None:
        """Wait for a turn."""
        now = time.monotonic()
        self._next = max(self._next, now - self._slack) + self._step
        if self._next > now:
            await asyncio.sleep(self._next - now)
