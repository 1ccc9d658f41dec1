"""Comparisons of values that are no texts: numbers, bools, times, addresses."""

import ipaddress
import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from detections.sigma.fields import Scalar, number_of, text_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "is": operator.eq,
}


def compile_value(op: str, wanted: Any) -> Callable[[Scalar], bool]:
    """What tells whether `is` (no text), an inequality, `cidr` or a part of a time is true of a value."""
    if op == "cidr":
        network = ipaddress.ip_network(wanted)
        return lambda value: _is_inside(value, network)
    if isinstance(wanted, bool):
        written = str(text_of(wanted))
        return lambda value: (text_of(value) or "").casefold() == written
    if op in _NUMBERS:
        compare = _NUMBERS[op]

        def is_so(value: Scalar) -> bool:
            number = number_of(value)
            return number is not None and compare(number, wanted)

        return is_so
    return lambda value: time_part(op, value) == wanted


def _is_inside(value: Scalar, network: Any) -> bool:
    text = text_of(value)
    try:
        return text is not None and ipaddress.ip_address(text) in network
    except ValueError:
        return False


def time_part(part: str, value: Scalar) -> int | None:
    """A part of a time in UTC, which is a number of microseconds since 1970; None if it is no such time."""
    number = number_of(value)
    if number is None:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=int(number))
    except (OverflowError, ValueError):
        return None
    return moment.isocalendar().week if part == "week" else int(getattr(moment, part))
