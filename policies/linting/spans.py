"""Spans of numbers: what comparisons leave over."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from policies.rule import Comparisons

WHOLE = ("input_tokens", "output_tokens", "size_bytes")
"""Fields that are whole numbers."""


class Span(NamedTuple):
    """The numbers from `low` to `high`, both among them, without those in `but`."""

    low: float = -math.inf
    high: float = math.inf
    but: frozenset[float] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether there is none."""
        return self.low > self.high or (self.low == self.high and self.low in self.but)

    def holds(self, other: "Span") -> bool:
        """Whether all of the other's numbers are among these."""
        inside = self.low <= other.low and other.high <= self.high
        return other.empty or (inside and all(n in other.but or not other.has(n) for n in self.but))

    def has(self, number: float) -> bool:
        """Whether a number is among them."""
        return self.low <= number <= self.high and number not in self.but

    def within(self, other: "Span") -> "Span":
        """The numbers that both have."""
        return Span(max(self.low, other.low), min(self.high, other.high), self.but | other.but)


def span(tests: Iterable[tuple[str, float]], whole: bool) -> Span:
    """What comparisons (gt, gte, lt, lte, eq, neq) leave of the whole numbers, or of the doubles."""
    found = Span()
    for name, number in tests:
        found = found.within(_one(name, number, whole))
    return found


def _one(name: str, number: float, whole: bool) -> Span:
    above = math.floor(number) + 1 if whole else math.nextafter(number, math.inf)
    below = math.ceil(number) - 1 if whole else math.nextafter(number, -math.inf)
    if name in ("gt", "gte"):
        return Span(low=above if name == "gt" else math.ceil(number) if whole else number)
    if name in ("lt", "lte"):
        return Span(high=below if name == "lt" else math.floor(number) if whole else number)
    return Span(number, number) if name == "eq" else Span(but=frozenset({number}))


def span_of(field: str, numbers: Comparisons) -> Span:
    """The span of one field of `match.fields`."""
    return span(((name, number) for name, number in numbers if number is not None), field in WHOLE)
