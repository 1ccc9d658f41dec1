"""What a process holds, sampled over time, and whether that is flat."""

import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
SHARE = 0.05
SLACK = {"rss": 4 << 20, "fds": 3.0, "threads": 2.0, "tasks": 5.0}
"""How much more after the second half than before it is flat: 5 %, or this where it is more."""


@dataclass
class Watched:
    """One process: samples of each figure, and the seconds at which they were taken."""

    name: str
    pid: int
    port: int = 0
    at: list[float] = field(default_factory=list)
    samples: dict[str, list[float]] = field(default_factory=dict)

    def sample(self, now: float) -> None:
        """Take one of each (Linux).

        Raises:
            OSError: the process has ended.
        """
        proc = Path(f"/proc/{self.pid}")
        found = {
            "rss": float(int((proc / "statm").read_text().split()[1]) * PAGE),
            "fds": float(len(os.listdir(proc / "fd"))),
            "threads": float(re.findall(r"Threads:\s+(\d+)", (proc / "status").read_text())[0]),
        }
        if self.port:
            found["tasks"] = metric(self.port, "praetor_asyncio_tasks")
        self.at.append(now)
        for name, value in found.items():
            self.samples.setdefault(name, []).append(value)

    def verdicts(self) -> list["Growth"]:
        """Each figure's growth over the second half."""
        half = len(self.at) // 2
        return [Growth.of(self.name, n, self.at[half:], v[half:]) for n, v in self.samples.items()]


@dataclass(frozen=True)
class Growth:
    """What a straight line through the samples says: from where to where."""

    process: str
    figure: str
    first: float
    last: float
    most: float

    @classmethod
    def of(cls, process: str, figure: str, at: Sequence[float], values: Sequence[float]) -> "Growth":
        """Fit at least one sample."""
        middle, mean = sum(at) / len(at), sum(values) / len(values)
        spread = sum((t - middle) ** 2 for t in at)
        moved = sum((t - middle) * (v - mean) for t, v in zip(at, values, strict=True))
        slope = moved / spread if spread else 0.0
        ends = (mean + slope * (at[0] - middle), mean + slope * (at[-1] - middle))
        return cls(process, figure, *ends, max(values))

    @property
    def flat(self) -> bool:
        """Whether it grew by no more than 5 %, or than the slack of its kind."""
        return self.last - self.first <= max(SHARE * abs(self.first), SLACK[self.figure])


def metric(port: int, name: str) -> float:
    """The value of a metric without labels; of several tries the first that is answered.

    Raises:
        OSError: nothing answers.
    """
    for _ in range(10):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
            return float(re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)[0])
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    raise OSError(f"nothing answers at port {port}")
