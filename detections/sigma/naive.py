"""What a rule says of an action, evaluated as it stands: the oracle of `detections.sigma.compiled`, and slow.

Three values: True, False, and None where it cannot be told because the arguments cannot be read. `and` is
False if a part is, `or` is True if a part is, whatever the others are (Kleene); else None wins.
"""

import ipaddress
import operator
import re
from collections.abc import Sequence
from typing import Any

from detections.sigma.comparing import time_part
from detections.sigma.expression import compile_expression
from detections.sigma.fields import KEYWORDS, Scalar, keyword_texts, make_reader, number_of, text_of
from detections.sigma.rule import And, Atom, Not, SigmaRule, parts
from schemas.action import Action
from schemas.arguments import Unreadable

_COMPARE: dict[str, Any] = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def match_all(rules: Sequence[SigmaRule], action: Action) -> tuple[list[int], list[int]]:
    """The places of the rules that match, and of those of which it cannot be told."""
    told = [holds(rule, action) for rule in rules]
    return [i for i, t in enumerate(told) if t], [i for i, t in enumerate(told) if t is None]


def holds(rule: SigmaRule, action: Action) -> bool | None:
    """Whether a rule matches an action."""
    if rule.phase is not None and rule.phase != action.phase:
        return False
    return _evaluate(rule.condition, action)


def _evaluate(condition: Any, action: Action) -> bool | None:
    if isinstance(condition, Atom):
        return _compare(condition, action)
    told = [_evaluate(part, action) for part in parts(condition)]
    if isinstance(condition, Not):
        return None if told[0] is None else not told[0]
    decisive = not isinstance(condition, And)
    if decisive in told:
        return decisive
    return None if None in told else not decisive


def _compare(atom: Atom, action: Action) -> bool | None:
    try:
        if atom.op == "ref":
            return _refers(atom, action)
        values = make_reader(atom.field)(action)
    except Unreadable:
        if atom.field != KEYWORDS:
            return None
        # what can be read of it may still tell that it is there
        return True if any(_true(atom, value) for value in keyword_texts(action)) else None
    if atom.op == "exists":
        return bool(values) == atom.value
    if atom.op == "null":
        return not values or None in values
    return any(_true(atom, value) for value in values)


def _refers(atom: Atom, action: Action) -> bool:
    """Whether a text of the field is, begins with, ends with, or contains a text of the other."""
    flags = atom.flags or ""
    mine = [_fold(t, flags) for v in make_reader(atom.field)(action) if (t := text_of(v)) is not None]
    others = [_fold(t, flags) for v in make_reader(str(atom.value))(action) if (t := text_of(v)) is not None]
    if "s" in flags and "e" in flags:
        return any(b in a for a in mine for b in others)
    if "s" in flags:
        return any(a.startswith(b) for a in mine for b in others)
    if "e" in flags:
        return any(a.endswith(b) for a in mine for b in others)
    return any(a == b for a in mine for b in others)


def _true(atom: Atom, value: Scalar) -> bool:
    """Whether a comparison is true of one value."""
    if atom.op in _COMPARE:
        number = number_of(value)
        return number is not None and bool(_COMPARE[atom.op](number, atom.value))
    if atom.op in ("minute", "hour", "day", "week", "month", "year"):
        return time_part(atom.op, value) == atom.value
    text = text_of(value)
    if atom.op == "is" and not isinstance(atom.value, str):
        return _same(atom.value, value)
    return text is not None and _text_true(atom, text)


def _same(wanted: Any, value: Scalar) -> bool:
    """Whether a value is a bool or number, or is written as one."""
    if isinstance(wanted, bool):
        text = text_of(value)
        return text is not None and text.casefold() == text_of(wanted)
    return bool(number_of(value) == wanted)


def _text_true(atom: Atom, text: str) -> bool:
    value, flags = str(atom.value), atom.flags or ""
    if atom.op == "re":
        return compile_expression(value, flags).search(text.encode()) is not None
    if atom.op == "cidr":
        return _inside(value, text)
    if atom.op == "like":
        return re.fullmatch(_expression(_fold(value, flags)), _fold(text, flags), re.S) is not None
    wanted, text = _fold(value, flags), _fold(text, flags)
    match atom.op:
        case "is":
            return text == wanted
        case "contains":
            return wanted in text
        case "starts":
            return text.startswith(wanted)
        case _:
            return text.endswith(wanted)


def _fold(text: str, flags: str) -> str:
    return text if "c" in flags else text.casefold()


def _expression(pattern: str) -> str:
    """A pattern with wildcards, as a regular expression."""
    found = ""
    for token in re.findall(r"\\[*?\\]|.", pattern, re.S):
        found += {"*": ".*", "?": "."}.get(token) or re.escape(token[-1])
    return found


def _inside(network: str, text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(network)
    except ValueError:
        return False
