"""A rule as an expression of SQL: 1, 0, or NULL where it cannot be told."""

from typing import Any

from detections.sigma.rule import And, Atom, Not, SigmaRule, parts
from detections.sigma.sql.atoms import atom_sql
from detections.sigma.sql.text import joined, quoted


def rule_sql(rule: SigmaRule) -> str:
    """Whether the rule matches a row."""
    told = _condition(rule.condition)
    return told if rule.phase is None else f"(phase = {quoted(rule.phase)} AND {told})"


def _condition(condition: Any) -> str:
    if isinstance(condition, Atom):
        return atom_sql(condition)
    told = [_condition(part) for part in parts(condition)]
    if isinstance(condition, Not):
        return f"(NOT {told[0]})"
    every = isinstance(condition, And)
    return joined("AND" if every else "OR", told, "toUInt8(1)" if every else "toUInt8(0)")
