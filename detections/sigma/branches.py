"""A rule as alternatives, each of which has gates of its own and is evaluated alone.

`(a or b) and c` is `a and c` or `b and c`: what cannot be told stays so, as Kleene's `and` and `or`
distribute, too. The alternatives of a regular expression count as well.
"""

from typing import Any

from detections.sigma.required import split_expression
from detections.sigma.rule import And, Atom, Or

MOST_BRANCHES = 256
"""Of one rule, that come of an `or` within an `and`."""

Branch = tuple[Any, ...]
"""Conditions that are all to hold."""


def split_condition(condition: Any) -> list[Branch]:
    """The branches of a condition: it holds if one of them does."""
    if isinstance(condition, Or):
        return [branch for part in condition.some for branch in split_condition(part)]
    if isinstance(condition, Atom) and condition.op == "re":
        texts = split_expression(str(condition.value))
        return [(condition.model_copy(update={"value": text}),) for text in texts]
    if isinstance(condition, And) and condition.every:
        return _distribute(condition)
    return [(condition,)]


def _distribute(condition: And) -> list[Branch]:
    """One part is split, the one with the most branches; the others stand beside each of them."""
    split = [split_condition(part) for part in condition.every]
    chosen = max(range(len(split)), key=lambda i: len(split[i]) if len(split[i]) <= MOST_BRANCHES else 0)
    others = tuple(part for i, part in enumerate(condition.every) if i != chosen)
    if len(split[chosen]) > MOST_BRANCHES:
        return [condition.every]
    return [(*branch, *others) for branch in split[chosen]]
