"""Sinks that fail at a chosen write: killed with SIGKILL, or held back until the test lets go."""

import itertools
import os
import signal
import threading

from runtime.settings import Settings
from sinks.batch import Batch
from sinks.clickhouse import ClickHouseSink


class DyingSink(ClickHouseSink):
    """Kills its own process at the n-th write (1 is the first), before or after the insert."""

    def __init__(self, settings: Settings, at: int, after: bool) -> None:
        super().__init__(settings)
        self._numbers = itertools.count(1)
        self._at = at
        self._after = after

    def write(self, batch: Batch) -> None:
        mine = next(self._numbers) == self._at
        if mine and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        super().write(batch)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)


class HeldSink(ClickHouseSink):
    """Holds its first write back until `release` is set; `reached` is set when it is there."""

    def __init__(self, settings: Settings, after: bool = False) -> None:
        super().__init__(settings)
        self.reached = threading.Event()
        self.release = threading.Event()
        self._after = after

    def write(self, batch: Batch) -> None:
        if self._after:
            super().write(batch)
        self.reached.set()
        assert self.release.wait(60)
        super().write(batch)
