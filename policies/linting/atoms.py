"""The parts of a condition that can be seen through: one name compared with one value."""

import json
import re
from typing import NamedTuple

from policies.cel import AGENT, LONGS, SESSION

_STRING = r"'[^'\\]*'|\"[^\"\\]*\""
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_NAME = r"(?:action|agent|session)\.[a-z_]+"
_ATOM = re.compile(rf"({_NAME})\s*(==|!=|<=|>=|<|>)\s*({_STRING}|{_NUMBER})")
_TURNED = re.compile(rf"({_STRING}|{_NUMBER})\s*(==|!=|<=|>=|<|>)\s*({_NAME})")
_DETECTED = re.compile(rf"({_STRING})\s+in\s+(detections|recent_detections)")
_SIGNS = {"==": "eq", "!=": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TURN = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte", "eq": "eq", "neq": "neq"}
WHOLE = frozenset(
    {f"action.{n}" for n in LONGS} | {f"agent.{n}" for n in AGENT} | {f"session.{n}" for n in SESSION}
)
"""Names that stand for whole numbers."""


class Atom(NamedTuple):
    """A comparison of a name with a value.

    Attributes:
        name: the whole name; `detections` or `recent_detections` for `'x' in detections`.
        operator: gt, gte, lt, lte, eq, neq, as `match.fields` has them.
        value: a text or a number.
    """

    name: str
    operator: str
    value: str | float


def read_atom(part: str) -> Atom | None:
    """One part of a condition, if it is so simple."""
    detected = _DETECTED.fullmatch(part)
    if detected:
        return Atom(detected[2], "eq", detected[1][1:-1])
    found = _ATOM.fullmatch(part)
    if found:
        return Atom(found[1], _SIGNS[found[2]], _value(found[3]))
    turned = _TURNED.fullmatch(part)
    return Atom(turned[3], _TURN[_SIGNS[turned[2]]], _value(turned[1])) if turned else None


def _value(text: str) -> str | float:
    return text[1:-1] if text[0] in "'\"" else float(json.loads(text))
