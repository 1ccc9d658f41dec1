"""What a rule demands beside its patterns: numeric limits. Run on candidates only, after the index."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from policies.model import Fields
from schemas.action import Action

Test = tuple[Callable[[Any, Any], Any], int | float]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}


class Condition(NamedTuple):
    """All limits on one field."""

    field: str
    tests: tuple[Test, ...]


class Unjudgeable(Exception):
    """A condition cannot be judged for this action; the message says why. It is never "no match"."""


def compile_conditions(fields: Fields | None) -> tuple[Condition, ...]:
    """Turn a rule's limits into conditions, in the language's order of fields."""
    if fields is None:
        return ()
    return tuple(
        Condition(field, tuple((OPERATORS[op], number) for op, number in limits if number is not None))
        for field, limits in fields
        if limits is not None
    )


def hold(conditions: tuple[Condition, ...], action: Action, values: dict[str, Any]) -> bool:
    """Whether all conditions hold. `values` are the fields of this action read so far; read ones are added.

    Raises:
        Unjudgeable: one of the fields is no number (NaN), whatever the other conditions say.
    """
    held = True
    for field, tests in conditions:
        if field not in values:
            values[field] = action.get(field)
        value = values[field]
        if value.__class__ not in (int, float) or value != value:
            raise Unjudgeable(f"{field} is {value!r}, which cannot be compared with a limit")
        held = held and all(compare(value, number) for compare, number in tests)
    return held
