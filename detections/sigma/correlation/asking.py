"""Whether a correlation's condition holds: of the entries of one window, and of an event that comes.

**Late events.** An event is placed at its time, wherever that lies among those that came before. The
condition is asked of every window of the timespan's length that ends at an event and contains the new one:
the times (end - timespan, end]. By `received_at` the new event is always the last, so that there is one such
window. By `occurred_at` the time is clamped to `received_at` ± the bundle's skew: what is later than that
counts as if it were exactly so late, and nothing is ever too late to count.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from detections.sigma.correlation.entries import Entry
from detections.sigma.correlation.model import Correlation
from detections.sigma.correlation.numbers import MICRO, compare, percentile_times_100

Holds = Callable[[Sequence[Entry]], bool]
"""Of the entries of one window, by time and among equals as they came; at least one."""


def condition_of(correlation: Correlation) -> Holds:
    """The condition, ready to be asked."""
    kind, operator = correlation.kind, correlation.operator
    rules = correlation.rules
    if correlation.expression is not None:
        tree = correlation.expression
        bits = {rule: 1 << i for i, rule in enumerate(rules)}
        return lambda entries: _true(tree, bits, seen(entries))
    if kind == "temporal_ordered":
        return lambda entries: chain(entries, len(rules)) is not None
    measure = _MEASURES[kind]
    threshold = round(correlation.threshold * MICRO)
    percentile = correlation.percentile

    def holds(entries: Sequence[Entry]) -> bool:
        number, times = measure(entries, percentile)
        return compare(operator, number, threshold * times)

    return holds


def windows(entries: Sequence[Entry], at: int, timespan: int) -> list[list[Entry]]:
    """Every window that ends at an event and contains the time of the new one, by its end.

    Args:
        entries: of one group, the new one included, none older than a timespan before it; as they came.
        at: the time of the new event.
        timespan: a window's length.
    """
    ordered = sorted(entries, key=lambda e: e.at)
    ends = sorted({e.at for e in ordered if at <= e.at < at + timespan})
    return [[e for e in ordered if end - timespan < e.at <= end] for end in ends]


def seen(entries: Sequence[Entry]) -> int:
    """The rules that matched in a window, as bits."""
    return list(accumulate((e.rules for e in entries), int.__or__))[-1]


def chain(entries: Sequence[Entry], rules: int) -> list[Entry] | None:
    """Different events, one for each rule, in the rules' order; those that begin latest. None without.

    One event stands for one rule only, also where it matches several.
    """
    best: list[list[Entry] | None] = [[]] + [None] * rules
    for entry in entries:
        for length in range(rules, 0, -1):
            before = best[length - 1]
            if before is not None and entry.rules >> (length - 1) & 1:
                best[length] = [*before, entry]
    return best[rules]


def _true(tree: Any, bits: dict[str, int], mask: int) -> bool:
    if isinstance(tree, str):
        return bool(mask & bits[tree])
    word, *operands = tree
    values = [_true(operand, bits, mask) for operand in operands]
    return {"and": all(values), "or": any(values), "not": not values[0]}[str(word)]


Measure = Callable[[Sequence[Entry], int], tuple[int, int]]
"""Of entries and a percentile: a number in millionths, and how many times too large it is."""


def _values(entries: Sequence[Entry]) -> list[int]:
    return [e.value for e in entries]


_MEASURES: dict[str, Measure] = {
    "event_count": lambda entries, _: (len(entries) * MICRO, 1),
    "value_count": lambda entries, _: (len({e.value for e in entries}) * MICRO, 1),
    "temporal": lambda entries, _: (seen(entries).bit_count() * MICRO, 1),
    "value_sum": lambda entries, _: (sum(_values(entries)), 1),
    "value_avg": lambda entries, _: (sum(_values(entries)), len(entries)),
    "value_median": lambda entries, _: (percentile_times_100(_values(entries), 50), 100),
    "value_percentile": lambda entries, percentile: (
        percentile_times_100(_values(entries), percentile),
        100,
    ),
}
