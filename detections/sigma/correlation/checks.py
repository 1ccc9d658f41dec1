"""What is wrong with a correlation, so that a bundle that loads is a bundle that can be evaluated."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

MOST_COUNTED = 500
"""The largest threshold of a count: so many events of one group fit into a window with room to spare."""
LARGEST_THRESHOLD = 9 * 10**12
DEEPEST = 24


def check_shape(kind: str, rules: Sequence[str], aliases: Mapping[str, Mapping[str, str]]) -> str | None:
    """Why its rules and aliases cannot be; None if they can."""
    if len(set(rules)) != len(rules):
        return "it names a rule twice"
    if kind == "temporal_ordered" and len(rules) < 2:
        return "temporal_ordered needs two rules at least"
    for alias, fields in aliases.items():
        strange = sorted(set(fields) - set(rules))
        if strange:
            return f"the alias {alias} names {', '.join(strange)}, which the correlation does not look at"
        missing = sorted(set(rules) - set(fields))
        if missing:
            return f"the alias {alias} names no field for {', '.join(missing)}"
    return None


def check_measure(
    kind: str, threshold: float, fields: Sequence[str], rules: int, operator: str
) -> str | None:
    """Why it cannot count like this; None if it can."""
    if not abs(threshold) <= LARGEST_THRESHOLD:
        return f"the threshold {threshold} lies beyond ±9·10^12, up to which numbers are counted"
    if kind.startswith("value_") != bool(fields):
        return f"{kind} needs a field in its condition" if not fields else f"{kind} has no field"
    if kind.startswith("value_") and kind != "value_count":
        if len(fields) > 1:
            return f"{kind} is of one field, not {len(fields)}"
        fine = Decimal(repr(threshold)) % Decimal("0.000001")
        return f"the threshold {threshold} has more than six decimals" if fine else None
    if kind == "temporal_ordered":
        return _check_ordered(threshold, rules, operator)
    if int(threshold) != threshold or not 0 <= threshold <= MOST_COUNTED:
        return f"a count is compared with a whole number from 0 to {MOST_COUNTED}, not {threshold}"
    return None


def _check_ordered(threshold: float, rules: int, operator: str) -> str | None:
    asked = {"gte": threshold, "eq": threshold, "gt": threshold + 1}.get(operator)
    if asked == rules:
        return None
    return (
        "temporal_ordered asks for all of its rules in order; leave the condition out"
        " (a part of them in order can be read in several ways: write a correlation over those)"
    )


def check_expression(kind: str, tree: Any, rules: Collection[str]) -> str | None:
    """Why its boolean condition cannot be; None if it can."""
    if kind != "temporal":
        return f"{kind} has no boolean condition; only temporal has"
    level: list[Any] = [tree]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for part in level:
            wrong = _check_part(part, rules)
            if wrong:
                return wrong
            if not isinstance(part, str):
                below += part[1:]
        if not below:
            return None
        level = below
    return f"its condition is nested deeper than {DEEPEST} levels"


def _check_part(part: Any, rules: Collection[str]) -> str | None:
    if isinstance(part, str):
        return None if part in rules else f"its condition names {part!r}, which is none of its rules"
    if not isinstance(part, list | tuple) or len(part) < 2 or part[0] not in ("and", "or", "not"):
        return "a condition is a rule's name, or a list of 'and', 'or' or 'not' and operands"
    if part[0] == "not" and len(part) != 2:
        return "'not' has one operand"
    return None
