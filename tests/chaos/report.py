"""What was done, when, and how long it took until all was well again."""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.chaos.schedule import Fault


@dataclass
class Report:
    """The fault log: lines with times, on the terminal and in a file; figures by kind of fault."""

    path: Path
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    violations: list[str] = field(default_factory=list)
    done: int = 0
    _started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        line = f"{datetime.now(UTC):%H:%M:%S} +{time.monotonic() - self._started:6.1f} s  {text}"
        print(line, flush=True)
        with open(self.path, "a") as file:
            file.write(line + "\n")

    def hit(self, fault: Fault, what: str) -> None:
        self.done += 1
        self.say(f"fault {fault.number + 1}: {fault.kind.name}: {what}")

    def recovered(self, faults: list[Fault], seconds: float) -> None:
        for fault in faults:
            self.recovery[fault.kind.name].append(seconds)

    def violated(self, what: str) -> None:
        self.violations.append(what)
        self.say(f"VIOLATION: {what}")

    def table(self) -> str:
        lines = [f"{'fault':42} {'times':>5} {'recovery s: median':>19} {'max':>7}"]
        for name, seconds in sorted(self.recovery.items()):
            lines.append(f"{name:42} {len(seconds):5} {median(seconds):19.1f} {max(seconds):7.1f}")
        times = [s for seconds in self.recovery.values() for s in seconds]
        if times:
            lines.append(f"{'all':42} {len(times):5} {median(times):19.1f} {max(times):7.1f}")
        return "\n".join(lines)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
