"""What an action uses of models, as amounts that can be added up without loss."""

import math
from typing import NamedTuple

PER_USD = 1_000_000_000
LARGEST = 2**63
"""Of tokens, and of billionths of a dollar: nothing is counted beyond."""
_MOST_USD = LARGEST / PER_USD


class Used(NamedTuple):
    """What actions use: tokens, billionths of a dollar, and whether all that was told is an amount."""

    tokens: int
    cost: int
    is_sane: bool = True


NOTHING_USED = Used(0, 0)
"""Its producer tells of nothing: this very object."""


def count_usage(usage: tuple[int, int, float] | None) -> Used:
    """What counts of input and output tokens and dollars: what is no amount does not."""
    if usage is None:
        return NOTHING_USED
    sent, received, cost = usage
    if sent >= 0 <= received and 0 <= cost <= _MOST_USD:  # nearly always
        return Used(sent + received, round(cost * PER_USD))
    is_amount = 0 <= cost < math.inf
    billionths = round(min(cost, _MOST_USD) * PER_USD) if is_amount else 0
    return Used(max(sent, 0) + max(received, 0), billionths, is_amount and sent >= 0 <= received)
