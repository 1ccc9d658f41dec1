"""Whether a signal, or a group of them, is what a route or a silence means: compiled from documents."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from consumers.alert.document import Match, Times
from consumers.alert.signal import RANKS
from documents.pattern import Kind, parse_pattern

Test = Callable[[str], bool]
Labels = Mapping[str, tuple[str, ...]]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Labelled(Protocol):
    """What can be matched: a signal or a group."""

    @property
    def rank(self) -> int:
        """Its severity as a number."""
        ...

    def labels(self) -> Labels:
        """What it is matched by."""
        ...


def compiled(pattern: str) -> Test:
    """A pattern as a test of a text."""
    found = parse_pattern(pattern)
    if found.kind is Kind.exact:
        return lambda text: text == found.text
    if found.kind is Kind.prefix:
        return lambda text: text.startswith(found.text)
    regex = re.compile(found.regex)
    return lambda text: regex.match(text) is not None


def any_of(patterns: Sequence[str]) -> Test:
    """Whether one of the patterns fits."""
    tests = [compiled(p) for p in patterns]
    return lambda text: any(test(text) for test in tests)


@dataclass(frozen=True)
class Hours:
    """Hours of some days, as a test of a moment."""

    days: frozenset[str]
    start: int
    end: int
    zone: ZoneInfo

    @classmethod
    def of(cls, times: Times) -> "Hours":
        """From the document."""
        return cls(frozenset(times.days), _minutes(times.start), _minutes(times.end), ZoneInfo(times.zone))

    def holds(self, at: int) -> bool:
        """Whether a moment is in it; hours over midnight belong to the day that they begin on."""
        moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone)
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.start < self.end:
            return DAYS[day] in self.days and self.start <= minute < self.end
        if minute >= self.start:
            return DAYS[day] in self.days
        return minute < self.end and DAYS[day - 1] in self.days


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


class Matcher:
    """A `Match` of the document, compiled. Of several values of a field, one must fit."""

    def __init__(self, match: Match, times: Mapping[str, Hours]) -> None:
        """Take the document's part, and the hours that it may name."""
        self._rank = RANKS[match.severity or "unknown"]
        asked = {
            "kind": match.kinds,
            "tenant": match.tenants,
            "agent": match.agents,
            "detector": match.detectors,
            "tag": match.tags,
        }
        self._tests = {name: any_of(patterns) for name, patterns in asked.items() if patterns}
        self._during = times[match.during] if match.during else None
        self._outside = times[match.outside] if match.outside else None

    def fits(self, what: Labelled, now: int) -> bool:
        """Whether it is meant, at `now`."""
        if what.rank < self._rank:
            return False
        if self._during is not None and not self._during.holds(now):
            return False
        if self._outside is not None and self._outside.holds(now):
            return False
        labels = what.labels() if self._tests else {}
        return all(any(map(test, labels[name])) for name, test in self._tests.items())
