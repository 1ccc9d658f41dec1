"""How large batches are, and how many transactions a worker makes a second."""

import asyncio
import time

# at 200 actions a second over 12 partitions, 200 a second is a queue that is nearly full: p99 62-67 ms, with
# 1,000 it is 26-30 ms (docs/adr/0006)
TRANSACTIONS_PER_SECOND = 1_000
BURST = 24
MAX_ACTIONS = 5_000
LEAST_ACTIONS = 50
BATCH_SECONDS = 0.05


class BatchSize:
    """How many actions the next batch may hold: as many as are judged in 50 ms of CPU, 50 to 5,000.

    However dear the rules, the loop is free again soon for heartbeats, and a batch stays small.
    """

    def __init__(self) -> None:
        self.limit = MAX_ACTIONS

    def learn(self, actions: int, seconds: float) -> None:
        """The last batch took so long."""
        if actions:
            fitting = int(actions * BATCH_SECONDS / max(seconds, 1e-6))
            self.limit = min(MAX_ACTIONS, max(LEAST_ACTIONS, fitting))


class Pace:
    """Bounds a worker's transactions a second, so that batches grow instead of the broker's load.

    A token bucket shared by a worker's pipelines: first come, first served.
    """

    def __init__(self, per_second: float = TRANSACTIONS_PER_SECOND, burst: int = BURST) -> None:
        self._step = 1.0 / per_second
        self._slack = burst * self._step
        self._next = 0.0
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Wait for a turn."""
        now = time.monotonic()
        self._next = max(self._next, now - self._slack) + self._step
        if self._next > now:
            await asyncio.sleep(self._next - now)
        # one judges in a turn of the loop: else all would, one after the other, before the broker is heard
        async with self._turn:
            await asyncio.sleep(0)
