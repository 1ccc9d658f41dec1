"""From pySigma's values to comparisons: what a value of a rule, its modifiers applied, asks of a field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from typing import Any

from pydantic import ValidationError
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from detections.sigma.fields import BY_NAME, KEYWORDS, find_field
from detections.sigma.patterns import Wild, escape
from detections.sigma.rule import MOST_ATOMS, And, Atom, Or
from detections.sigma.taxonomy import WIDE, fields_of

Lists = Mapping[str, Sequence[str]]
"""Named lists: what `%name%` stands for with the modifier `expand`. Their entries may hold wildcards."""
FieldsOf = Callable[[str], Sequence[str]]
"""The fields that a name in a rule stands for."""

_WILD = {SpecialChars.WILDCARD_MULTI: Wild.ANY, SpecialChars.WILDCARD_SINGLE: Wild.ONE}
_OPS = {CompareOperators.LT: "lt", CompareOperators.LTE: "lte"}
_OPS |= {CompareOperators.GT: "gt", CompareOperators.GTE: "gte"}
_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "week": (1, 53), "month": (1, 12)}

Parts = list[str | Wild]


class Refused(Exception):
    """A value that no comparison can be made of; the message says why, and what to do."""


class Comparisons:
    """Makes comparisons of values.

    Attributes:
        lists: the named lists.
        fields_of: what a field's name stands for.
    """

    def __init__(self, lists: Lists, fields_of: FieldsOf = fields_of) -> None:
        """Take what names stand for."""
        self.lists = lists
        self.fields_of = fields_of

    def make(self, field: str | None, value: Any) -> Any:
        """The condition that one value asks of a field, or of keywords (None).

        Raises:
            Refused: there is none.
        """
        names = [KEYWORDS] if field is None else self.fields_of(field)
        for name in names:
            if find_field(name) is None:
                raise Refused(_no_field(name))
        found = [self._one(name, value) for name in names]
        if len(found) == 1:
            return found[0]
        absent = isinstance(value, SigmaNull) or (isinstance(value, SigmaExists) and not value.exists)
        return And(every=tuple(found)) if absent else Or(some=tuple(found))

    def _one(self, field: str, value: Any) -> Any:
        found = list(self._atoms(field, value))
        if len(found) > MOST_ATOMS:
            raise Refused(f"it comes to more than {MOST_ATOMS} comparisons; write fewer values")
        return found[0] if len(found) == 1 else Or(some=tuple(found))

    def _atoms(self, field: str, value: Any) -> Iterator[Atom]:
        """One of them is to hold."""
        if isinstance(value, SigmaExpansion):
            for one in value.values:
                yield from self._atoms(field, one)
        elif isinstance(value, SigmaString):
            flags = "c" if isinstance(value, SigmaCasedString) else None
            for parts in self._expanded(value):
                yield _text(field, parts, flags)
        elif isinstance(value, SigmaRegularExpression):
            flags = "".join(sorted(_FLAGS[flag] for flag in value.flags)) or None
            for parts in self._expanded(value.regexp):
                yield _atom("re", field, "".join(p if isinstance(p, str) else p.value for p in parts), flags)
        elif isinstance(value, SigmaFieldReference):
            flags = "s" * value.starts_with + "e" * value.ends_with
            for other in self.fields_of(value.field):
                yield _atom("ref", field, other, flags or None)
        elif isinstance(value, SigmaCompareExpression):
            yield from _compared(field, value)
        else:
            yield _plain(field, value)

    def _expanded(self, text: SigmaString) -> Iterator[Parts]:
        """The text, or the texts that it becomes when its placeholders are replaced."""
        choices: list[Sequence[Parts]] = []
        count = 1
        for part in text.s:
            if isinstance(part, Placeholder):
                if part.name not in self.lists:
                    raise Refused(_no_list(part.name, self.lists))
                choices.append([_parts(SigmaString(entry)) for entry in self.lists[part.name]])
            else:
                choices.append([_parts_of(part)])
            count *= len(choices[-1])
        if count > MOST_ATOMS:
            raise Refused(f"its lists make {count} texts; at most {MOST_ATOMS} are allowed")
        for chosen in product(*choices):
            yield [part for parts in chosen for part in parts]


def _parts(text: SigmaString) -> Parts:
    return [p for part in text.s for p in _parts_of(part)]


def _parts_of(part: Any) -> Parts:
    return [_WILD[part]] if isinstance(part, SpecialChars) else [str(part)]


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


def _text(field: str, parts: Parts, flags: str | None) -> Atom:
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
        return _atom(shapes[shape], field, text, flags)
    pattern = "".join(escape(part) if isinstance(part, str) else part.value for part in parts)
    return _atom("like", field, pattern, flags)


def _compared(field: str, value: SigmaCompareExpression) -> Iterator[Atom]:
    op, number = _OPS[value.op], value.number
    if not isinstance(number, SigmaTimestampPart):
        yield _atom(op, field, number.number, None)
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


def _plain(field: str, value: Any) -> Atom:
    if isinstance(value, SigmaTimestampPart):
        return _time(field, value.timestamp_part.name.lower(), int(value.number))
    if isinstance(value, SigmaNumber | SigmaBool):
        plain = value.number if isinstance(value, SigmaNumber) else value.boolean
        if field == KEYWORDS:
            return _atom("contains", field, str(plain).lower(), None)
        return _atom("is", field, plain, None)
    if isinstance(value, SigmaNull):
        return _atom("null", field, None, None)
    if isinstance(value, SigmaExists):
        return _atom("exists", field, value.exists, None)
    if isinstance(value, SigmaCIDRExpression):
        return _atom("cidr", field, value.cidr, None)
    raise Refused(f"a value of this kind is not supported ({type(value).__name__})")


def _time(field: str, part: str, number: int) -> Atom:
    row = find_field(field)
    if row is None or row.kind not in ("time", "any"):
        times = ", ".join(name for name, row in BY_NAME.items() if row.kind == "time")
        raise Refused(f"{field} is no time: {part!r} is asked of {times}")
    return _atom(part, field, number, None)


def _atom(op: str, field: str, value: Any, flags: str | None) -> Atom:
    try:
        return Atom.model_validate({"op": op, "field": field, "value": value, "flags": flags})
    except ValidationError as error:
        raise Refused(error.errors(include_url=False)[0]["msg"]) from error


def _no_field(name: str) -> str:
    near = get_close_matches(name, [n for n in (*WIDE, *BY_NAME) if "<" not in n], 1)
    hint = f"did you mean {near[0]!r}?" if near else "an argument is args.<name>, a label labels.<name>"
    return f"there is no field {name!r}; {hint}"


def _no_list(name: str, lists: Lists) -> str:
    known = ", ".join(sorted(lists)) or "none"
    return f"no list is called {name!r}, so %{name}% stands for nothing; the lists are: {known}"
