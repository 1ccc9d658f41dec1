"""What is wrong with one comparison, so that a bundle that loads is a bundle that can be evaluated."""

import ipaddress
from typing import Any

from detections.sigma.expression import check_expression
from detections.sigma.fields import KEYWORDS, find_field

LARGEST = 2**53
"""Beyond this, numbers of JSON are no longer exact."""
_FLAGS = {"is": "c", "contains": "c", "starts": "c", "ends": "c", "like": "c", "re": "ims", "ref": "cse"}
_TEXTS = ("contains", "starts", "ends", "like")
_NUMBERS = ("lt", "lte", "gt", "gte")


def check_atom(op: str, field: str, value: Any, flags: str) -> str | None:
    """Why no comparison can be like this; None if it can."""
    for name in (field, value) if op == "ref" and isinstance(value, str) else (field,):
        if find_field(name) is None:
            return f"there is no field {name!r}"
        if name == KEYWORDS and op in ("exists", "null", "ref"):
            return f"{op!r} asks for one field, not for keywords"
    allowed = _FLAGS.get(op, "")
    if any(flag not in allowed for flag in flags):
        return f"{op} knows the flags {allowed or 'none'}, not {flags}"
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        return "a lone surrogate is no character; remove it"
    return _check_value(op, value, flags)


def _check_value(op: str, value: Any, flags: str) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        return f"{value} lies beyond 2**53, where numbers are no longer exact"
    if op == "is":
        return None if value is not None else "'is' compares with a text, a number or a bool"
    if op in _TEXTS or op == "ref":
        return None if isinstance(value, str) else f"{op!r} compares with a text, not {value!r}"
    if op == "re":
        return check_expression(value, flags) if isinstance(value, str) else "an expression is a text"
    if op in _NUMBERS:
        return None if number else f"{op!r} compares with a number, not {value!r}"
    if op == "exists":
        return None if isinstance(value, bool) else "'exists' is true or false"
    if op == "null":
        return None if value is None else "'null' has no value"
    if op == "cidr":
        return _check_network(value)
    return None if number and int(value) == value else f"{op!r} compares with a whole number, not {value!r}"


def _check_network(value: Any) -> str | None:
    try:
        ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        return f"{value!r} is no network such as 10.0.0.0/8: {error}"
    return None
