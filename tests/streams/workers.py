"""Workers of govern as processes: started, asked to stop, killed, frozen."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from runtime.embedded.process import end, spawn, tail


class Workers:
    """The worker processes of one topic prefix. At the end of the block none is left."""

    def __init__(self, bootstrap: str, keys: Path, prefix: str, logs: Path) -> None:
        self._env = {
            "PRAETOR_BOOTSTRAP": bootstrap,
            "PRAETOR_KEYS_DIR": str(keys),
            "PRAETOR_METRICS_PORT": "0",
        }
        self._argv = [sys.executable, "-m", "cli.main", "govern", "--topic-prefix", prefix]
        self._logs = logs
        self.running: list[subprocess.Popen[bytes]] = []
        self._started = 0

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            self._started += 1
            self.running.append(spawn(self._argv, self.log(self._started - 1), self._env))

    def log(self, number: int) -> Path:
        """The log of the n-th worker that was started."""
        return self._logs / f"worker-{number}.log"

    def kill(self, place: int = 0) -> None:
        """kill -9; the process is gone when this returns."""
        process = self.running.pop(place)
        process.kill()
        process.wait()

    def stop(self, place: int = 0) -> int:
        """SIGTERM; returns the exit code."""
        return end(self.running.pop(place), 30)

    def freeze(self, place: int = 0) -> None:
        os.kill(self.running[place].pid, signal.SIGSTOP)

    def thaw(self, place: int = 0) -> None:
        os.kill(self.running[place].pid, signal.SIGCONT)

    async def logged(self, number: int, text: str, times: int = 1) -> str:
        """Wait until the n-th worker's log holds `text`; return the line that has it."""
        while True:
            path = self.log(number)
            found = [line for line in path.read_text().splitlines() if text in line] if path.exists() else []
            if len(found) >= times:
                return found[times - 1]
            self.check()
            await asyncio.sleep(0.05)

    def check(self) -> None:
        """No worker may have ended by itself."""
        for number in range(self._started):
            assert "Traceback" not in tail(self.log(number), 60), tail(self.log(number), 60)
        assert all(process.poll() is None for process in self.running), "a worker ended by itself"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.running:
            process.kill()
            process.wait()
