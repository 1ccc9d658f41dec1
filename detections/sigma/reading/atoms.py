"""One comparison of a field with one value as pySigma has it."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaNull,
    SigmaNumber,
    SigmaTimestampPart,
)

from detections.sigma.fields import BY_NAME, KEYWORDS, find_field
from detections.sigma.patterns import Wild, escape
from detections.sigma.rule import Atom

_OPS = {CompareOperators.LT: "lt", CompareOperators.LTE: "lte"}
_OPS |= {CompareOperators.GT: "gt", CompareOperators.GTE: "gte"}
_RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "week": (1, 53), "month": (1, 12)}

Parts = list[str | Wild]
"""A text with wildcards."""


class Refused(Exception):
    """A value that no comparison can be made of; the message says why, and what to do."""


def _joined(parts: Parts) -> Parts:
    """Texts that stand side by side put together, and of several `*` one."""
    found: Parts = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, str) and isinstance(last, str):
            found[-1] = last + part
        elif part and not (part is Wild.ANY and last is Wild.ANY):
            found.append(part)
    return found


def text_atom(field: str, parts: Parts, flags: str | None) -> Atom:
    """The comparison with a text: keywords are sought anywhere."""
    if field == KEYWORDS:
        parts = [Wild.ANY, *parts, Wild.ANY]
    parts = _joined(parts)
    plain = [part for part in parts if isinstance(part, str)]
    text = "".join(plain)
    shapes: dict[tuple[bool, ...], str] = {(): "is", (True,): "is", (False, True): "ends"}
    shapes |= {(True, False): "starts", (False, True, False): "contains"}
    shape = tuple(isinstance(part, str) for part in parts)
    if shape in shapes and Wild.ONE not in parts:
        return make_atom(shapes[shape], field, text, flags)
    pattern = "".join(escape(part) if isinstance(part, str) else part.value for part in parts)
    return make_atom("like", field, pattern, flags)


def compared_atoms(field: str, value: SigmaCompareExpression) -> Iterator[Atom]:
    """The comparisons with a number, or with each part of a time that fits; one of them is to hold."""
    op, number = _OPS[value.op], value.number
    if not isinstance(number, SigmaTimestampPart):
        yield make_atom(op, field, number.number, None)
        return
    part = number.timestamp_part.name.lower()
    if part not in _RANGES:
        raise Refused(f"the {part} of a time can only be compared for equality")
    compare = {"lt": int.__lt__, "lte": int.__le__, "gt": int.__gt__, "gte": int.__ge__}[op]
    least, most = _RANGES[part]
    wanted = [n for n in range(least, most + 1) if compare(n, int(number.number))]
    if not wanted:
        raise Refused(f"no {part} is so; it is {least} to {most}")
    for one in wanted:
        yield _time(field, part, one)


def plain_atom(field: str, value: Any) -> Atom:
    """The comparison with a value that is no text.

    Raises:
        Refused: there is none with such a value.
    """
    if isinstance(value, SigmaTimestampPart):
        return _time(field, value.timestamp_part.name.lower(), int(value.number))
    if isinstance(value, SigmaNumber | SigmaBool):
        plain = value.number if isinstance(value, SigmaNumber) else value.boolean
        if field == KEYWORDS:
            return make_atom("contains", field, str(plain).lower(), None)
        return make_atom("is", field, plain, None)
    if isinstance(value, SigmaNull):
        return make_atom("null", field, None, None)
    if isinstance(value, SigmaExists):
        return make_atom("exists", field, value.exists, None)
    if isinstance(value, SigmaCIDRExpression):
        return make_atom("cidr", field, value.cidr, None)
    raise Refused(f"a value of this kind is not supported ({type(value).__name__})")


def _time(field: str, part: str, number: int) -> Atom:
    row = find_field(field)
    if row is None or row.kind not in ("time", "any"):
        times = ", ".join(name for name, row in BY_NAME.items() if row.kind == "time")
        raise Refused(f"{field} is no time: {part!r} is asked of {times}")
    return make_atom(part, field, number, None)


def make_atom(op: str, field: str, value: Any, flags: str | None) -> Atom:
    """A comparison.

    Raises:
        Refused: it cannot be evaluated.
    """
    try:
        return Atom.model_validate({"op": op, "field": field, "value": value, "flags": flags})
    except ValidationError as error:
        raise Refused(error.errors(include_url=False)[0]["msg"]) from error
