"""How things are measured: systems take turns in one run; what is told is the median and what it hides."""

import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")


class Spread(NamedTuple):
    """The median of some rounds, the least and the most."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        """For people: median (low to high)."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Median and extremes of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """What each round's ratio comes to: rounds are compared with their neighbours, never with others."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


@dataclass(frozen=True)
class Plan:
    """What the command line asked for.

    Attributes:
        rounds: that are counted; one more, the first, only warms up.
        actions: in a log that is drained.
        quick: tiny sizes, to see that everything runs; figures then mean nothing.
        profile: also say where the time of the measured processes goes.
        tell: called with what happens next.
    """

    rounds: int
    actions: int
    quick: bool
    profile: bool
    tell: Callable[[str], None]


def alternate(
    plan: Plan, systems: Mapping[str, Callable[[int], Any]], warm_up: bool = True
) -> dict[str, list[Any]]:
    """Let each system run once a round, A B A B; return what they returned, a list a system.

    Systems get the round's number: 0 is the warm-up, whose results are dropped.
    """
    results: dict[str, list[Any]] = {name: [] for name in systems}
    for number in range(0 if warm_up else 1, plan.rounds + 1):
        for name, run in systems.items():
            plan.tell(f"{name}: " + (f"round {number} of {plan.rounds}" if number else "warm-up"))
            found = run(number)
            if number:
                results[name].append(found)
    return results


def time_batches(run: Callable[[Any], object], batches: Sequence[Sequence[Any]]) -> list[float]:
    """CPU microseconds a call of `run`, one figure a batch: the timer's own cost spreads over the batch."""
    costs = []
    for batch in batches:
        started = time.thread_time_ns()
        for item in batch:
            run(item)
        costs.append((time.thread_time_ns() - started) / len(batch) / 1000)
    return costs


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def resident_bytes() -> int:
    """Memory that this process holds now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
