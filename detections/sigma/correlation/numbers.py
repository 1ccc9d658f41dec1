"""Numbers as correlations count them: whole millionths, so that sums and averages are exact in any order.

A number is rounded half to even at its sixth decimal. One beyond ±9·10^12 counts as that. Text is a number
where it is a plain decimal of at most 15 digits before the point and 6 behind; booleans are none.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

MICRO = 1_000_000
LARGEST = 9_000_000_000_000 * MICRO
"""Below 2^63, so that a cell and a column of 64 bits hold it."""

PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?", re.ASCII)


def millionths(value: Any) -> int | None:
    """A field's value in millionths; None where it is no number.

    Raises:
        ValueError: it is a number that cannot be counted: infinite, or not a number.
    """
    if isinstance(value, str):
        value = float(value) if PLAIN.fullmatch(value) else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        scaled = float(value) * MICRO
    except OverflowError:  # a whole number beyond every double
        return LARGEST if value > 0 else -LARGEST
    if math.isnan(scaled) or (math.isinf(scaled) and math.isinf(float(value))):
        raise ValueError(f"{value!r} cannot be counted")
    if abs(scaled) >= LARGEST:
        return LARGEST if scaled > 0 else -LARGEST
    return round(scaled)


def compare(operator: str, number: int, threshold: int) -> bool:
    """Whether a condition holds.

    Raises:
        KeyError: no such operator.
    """
    return {
        "gt": number > threshold,
        "gte": number >= threshold,
        "lt": number < threshold,
        "lte": number <= threshold,
        "eq": number == threshold,
        "neq": number != threshold,
    }[operator]


def percentile_times_100(values: Sequence[int], percentile: int) -> int:
    """A hundred times the percentile of some values, with linear interpolation between neighbours.

    That is definition 7 of Hyndman and Fan (1996): PERCENTILE.INC, percentile_cont; at 50 it is the median.

    Args:
        values: at least one, in any order.
        percentile: 0 to 100.
    """
    ordered = sorted(values)
    low, rest = divmod((len(ordered) - 1) * percentile, 100)
    if not rest:
        return ordered[low] * 100
    return ordered[low] * 100 + (ordered[low + 1] - ordered[low]) * rest
