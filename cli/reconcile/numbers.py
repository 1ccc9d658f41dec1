"""What came of each producer's numbering, as runs: memory grows with epochs and holes, not with events."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cli.reconcile.holes import Found, Hole, Kind, OpenEpoch

Run = tuple[int, int]


class Epoch(NamedTuple):
    """One epoch of a producer, as one agent's events count it."""

    tenant: str
    agent_id: str
    producer_id: str
    epoch: int

    def to_json(self) -> dict[str, Any]:
        """For machines and messages."""
        return self._asdict()


@dataclass(slots=True)
class Numbers:
    """Numbers that came: runs, ascending and apart; and the greatest closing count, or None."""

    runs: list[list[int]] = field(default_factory=list)
    closing: int | None = None

    def add(self, first: int, last: int) -> None:
        """Take a run; numbers that are there already change nothing."""
        runs = self.runs
        if runs and runs[-1][0] <= first <= runs[-1][1] + 1:
            runs[-1][1] = max(runs[-1][1], last)
            return
        begin = bisect_left(runs, first, key=lambda run: run[1] + 1)
        end = begin
        while end < len(runs) and runs[end][0] <= last + 1:
            end += 1
        if begin < end:
            first, last = min(first, runs[begin][0]), max(last, runs[end - 1][1])
        runs[begin:end] = [[first, last]]

    def holes(self, from_zero: bool) -> Iterator[Run]:
        """What is missing below the highest number, or below the closing count."""
        upto = 0 if from_zero or not self.runs else self.runs[0][0]
        for first, last in self.runs:
            if first > upto:
                yield upto, first - 1
            upto = last + 1


class Producers:
    """The numbers of one partition's producers."""

    def __init__(self) -> None:
        self.epochs: dict[Epoch, Numbers] = {}

    def add(self, epoch: Epoch, first: int, last: int) -> None:
        """Take a run of numbers that came."""
        numbers = self.epochs.get(epoch)
        if numbers is None:
            numbers = self.epochs[epoch] = Numbers()
        numbers.add(first, last)

    def close(self, epoch: Epoch, count: int) -> None:
        """Take a closing count, which is a number that came, too."""
        self.add(epoch, count, count)
        numbers = self.epochs[epoch]
        numbers.closing = max(count, numbers.closing or 0)

    def conclude(self, partition: int, from_zero: bool, found: Found) -> None:
        """Name what is missing, what is counted wrongly, and epochs without closing count.

        Args:
            partition: where the agents are.
            from_zero: whether everything since the beginning was looked at; else an epoch may begin anywhere.
            found: takes the holes.
        """
        newest: dict[tuple[str, str, str], int] = {}
        for epoch in self.epochs:
            newest[epoch[:3]] = max(epoch.epoch, newest.get(epoch[:3], epoch.epoch))
        for epoch, numbers in sorted(self.epochs.items()):
            source, highest = epoch.to_json(), numbers.runs[-1][1]
            for first, last in numbers.holes(from_zero):
                found.add(Hole(Kind.source, partition, first, last, last - first + 1, source))
            if numbers.closing is None:
                found.add_open(OpenEpoch(source, partition, highest, epoch.epoch < newest[epoch[:3]]))
            elif highest > numbers.closing:
                first = numbers.closing + 1
                found.add(Hole(Kind.miscounted, partition, first, highest, highest - first + 1, source))
