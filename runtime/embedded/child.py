"""A child process that is started again when it dies."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.embedded.probe import Probe
from runtime.embedded.process import cut, spawn
from runtime.stack import Process, Service, ServiceState, this_process

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30.0
FIRST_ANSWER_SECONDS = 120.0


class Child:
    """One command of the stack, in the state that `praetor status` shows.

    Pauses between starts double from 0.5 s to 30 s, and begin anew after 30 s without a death. A one-time
    command is never started again. Times are seconds of one monotonic clock.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        once: bool = False,
        answers: Callable[[], bool] = lambda: True,
        probe: Probe | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.once = once
        self.state: ServiceState = "waiting"
        self.restarts = 0
        self._argv, self._env, self._answers = argv, env, answers
        self._probe = probe
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: Process | None = None
        self._detail = ""
        self._pause = FIRST_PAUSE
        self._since = 0.0
        self._due = 0.0

    def start(self, now: float) -> None:
        """Start the command; it runs, but may not answer yet."""
        self._process = spawn(self._argv, self.log, self._env)
        self._identity = this_process(self._process.pid)
        self._since = now
        self.state = "starting"

    def look(self, now: float) -> bool:
        """Bring the state up to date, start again what is due; return True if anything changed."""
        before = (self.state, self.restarts)
        code = self._process.poll() if self._process is not None else None
        if code is not None and self.state in ("starting", "running"):
            self._ended(code, now)
        elif hung := self._hung(now):
            self._kill()
            self._ended(-signal.SIGKILL, now)
            self._detail = hung
        elif self.state == "starting" and self._answers():
            self.state = "running"
        elif self.state == "restarting" and now >= self._due:
            self.restarts += 1
            self.start(now)
        if self.state == "running":
            cut(self.log)
        return before != (self.state, self.restarts)

    def _hung(self, now: float) -> str:
        """Why a restart is called for: its /livez has failed too long; "" if it has not."""
        if self._probe is None or self._process is None or self.state not in ("starting", "running"):
            return ""
        answered = self._probe.well_at >= self._since
        patience = self._probe.patience
        limit = patience if answered else max(patience, FIRST_ANSWER_SECONDS)
        silent = now - max(self._probe.well_at, self._since)
        problem = self._probe.problem
        if silent <= limit or not problem:  # a question still under way says nothing yet
            return ""
        return f"killed: /livez not well for {silent:.0f} s: {problem}"

    def _kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _ended(self, code: int, now: float) -> None:
        self._detail = f"exited with {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        self._process = None
        if self.once:
            self.state = "done" if code == 0 else "failed"
            return
        self._pause = FIRST_PAUSE if now - self._since > STEADY_SECONDS else self._pause
        self._due, self._pause = now + self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self.state = "restarting"

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and start it no more."""
        if self.state in ("starting", "running", "restarting"):
            self.state = "stopped"
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long, then kill it with all that it started; False if nothing ran."""
        if self._process is None:
            return False
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._detail = "killed: it did not stop"
            self._kill()
        self._process = None
        return True

    @property
    def waits(self) -> str:
        """What its /readyz says, after a colon; "" without one."""
        return f": {self._probe.ready}" if self._probe is not None else ""

    def service(self) -> Service:
        """Return the line of `praetor status`."""
        identity = self._identity if self._process is not None else None
        return Service(
            name=self.name,
            state=self.state,
            process=identity,
            restarts=self.restarts,
            detail=self._detail,
            health_port=self._probe.port if self._probe is not None else 0,
        )
