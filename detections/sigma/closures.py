"""Conditions as Python functions of what was seen: True, False, or None where it cannot be told (Kleene).

Every function here says of one action what `detections.sigma.naive` says.
"""

from collections.abc import Callable, Sequence
from typing import Any

from detections.sigma.comparing import compile_value
from detections.sigma.expression import compile_expression
from detections.sigma.fields import Reader, make_reader
from detections.sigma.patterns import compile_pattern
from detections.sigma.rule import And, Atom, Not
from detections.sigma.seen import LONG, Seen

Told = bool | None
Test = Callable[[Seen], Told]

EXPRESSION_TIMES = 4
"""What searching for an expression costs at most, as a multiple of searching for a text."""


def compile_condition(condition: Any) -> Test:
    """The function of a condition; what is cheap is asked first."""
    if isinstance(condition, Atom):
        return _atom(condition)
    if isinstance(condition, Not):
        return _negate(compile_condition(condition.no))
    if isinstance(condition, And):
        return _join([compile_condition(part) for part in sorted(condition.every, key=_cost)], False)
    return _join([_merged(group) for group in _groups(sorted(condition.some, key=_cost))], True)


def compile_branch(branch: Sequence[Any], tests: dict[int, Test]) -> Test:
    """The function of some conditions that are all to hold; those of `tests`, by identity, are made once."""
    for part in branch:
        if id(part) not in tests:
            tests[id(part)] = compile_condition(part)
    return _join([tests[id(part)] for part in sorted(branch, key=_cost)], False)


def _cost(condition: Any) -> float:
    """About how long it takes to ask, in arbitrary units."""
    if isinstance(condition, Atom):
        field = _FIELD_COSTS.get(condition.field, 2 if condition.field.startswith("args") else 8)
        return field + _OP_COSTS.get(condition.op, 1)
    if isinstance(condition, Not):
        return 1 + _cost(condition.no)
    costs = [_cost(part) for part in (condition.every if isinstance(condition, And) else condition.some)]
    return sum(costs)


_FIELD_COSTS = {
    name: 0 for name in ("action", "tool", "agent_id", "tenant", "session_id", "phase", "resource")
}
_FIELD_COSTS |= {"arguments": 1, "content": 3, "keywords": 20}
_OP_COSTS = {"re": 5, "like": 2, "cidr": 4, "ref": 6}


def _negate(test: Test) -> Test:
    def run(seen: Seen) -> Told:
        told = test(seen)
        return None if told is None else not told

    return run


def _join(tests: Sequence[Test], decisive: bool) -> Test:
    """Or (`decisive` is True) and and (False): the first that is decisive decides."""
    if len(tests) == 1:
        return tests[0]

    def run(seen: Seen) -> Told:
        unknown = False
        for test in tests:
            told = test(seen)
            if told is decisive:
                return decisive
            if told is None:
                unknown = True
        return None if unknown else not decisive

    return run


def _groups(some: Sequence[Any]) -> list[list[Any]]:
    """Alternatives, those put together that one function can ask at once."""
    groups: dict[Any, list[Any]] = {}
    for place, part in enumerate(some):
        same = isinstance(part, Atom) and part.op in _MERGED and isinstance(part.value, str)
        groups.setdefault((part.op, part.field, part.flags) if same else place, []).append(part)
    return list(groups.values())


_MERGED = ("is", "contains", "starts", "ends")


def _merged(group: Sequence[Any]) -> Test:
    if len(group) == 1:
        return compile_condition(group[0])
    return _text_test(group[0], [str(atom.value) for atom in group])


def _atom(atom: Atom) -> Test:
    read = make_reader(atom.field)
    if atom.op in ("exists", "null"):
        return _presence(atom, read)
    if atom.op == "ref":
        return _reference(atom, read)
    if atom.op == "re":
        return _expression(atom, read)
    if atom.op in _MERGED and isinstance(atom.value, str):
        return _text_test(atom, [atom.value])
    if atom.op == "like":
        cased = "c" in (atom.flags or "")
        pattern = str(atom.value)
        return _texts_test(atom, compile_pattern(pattern if cased else pattern.casefold()))
    return _values_test(atom, read)


def _text_test(atom: Atom, wanted: list[str]) -> Test:
    if "c" not in (atom.flags or ""):
        wanted = [text.casefold() for text in wanted]
    same, ends = frozenset(wanted), tuple(wanted)
    only = wanted[0]
    match atom.op:
        case "is":
            return _texts_test(atom, only.__eq__ if len(wanted) == 1 else same.__contains__)
        case "contains":
            if len(wanted) == 1:
                return _texts_test(atom, lambda text: only in text)
            return _texts_test(atom, lambda text: any(part in text for part in ends), len(wanted))
        case "starts":
            return _texts_test(atom, lambda text: text.startswith(ends))
        case _:
            return _texts_test(atom, lambda text: text.endswith(ends))


def _texts_test(atom: Atom, holds: Callable[[str], bool], times: int = 1) -> Test:
    """True if it holds of a text of the field."""
    field, read = atom.field, make_reader(atom.field)
    get = Seen.texts if "c" in (atom.flags or "") else Seen.folded

    def run(seen: Seen) -> Told:
        for text in get(seen, field, read):
            if len(text) > LONG and not seen.may_search(len(text), times):
                return None
            if holds(text):
                return True
        return None if field in seen.unread else False

    return run


def _expression(atom: Atom, read: Reader) -> Test:
    field = atom.field
    search = compile_expression(str(atom.value), atom.flags or "").search

    def run(seen: Seen) -> Told:
        for text in seen.encoded(field, read):
            if len(text) > LONG and not seen.may_search(len(text), EXPRESSION_TIMES):
                return None
            if search(text) is not None:
                return True
        return None if field in seen.unread else False

    return run


def _values_test(atom: Atom, read: Reader) -> Test:
    """True if it holds of a value of the field."""
    field, holds = atom.field, compile_value(atom.op, atom.value)

    def run(seen: Seen) -> Told:
        for value in seen.values(field, read):
            if holds(value):
                return True
        return None if field in seen.unread else False

    return run


def _presence(atom: Atom, read: Reader) -> Test:
    field, wanted, null = atom.field, atom.value, atom.op == "null"

    def run(seen: Seen) -> Told:
        values = seen.values(field, read)
        if field in seen.unread:
            return None
        return (not values or None in values) if null else bool(values) == wanted

    return run


def _reference(atom: Atom, read: Reader) -> Test:
    field, other, flags = atom.field, str(atom.value), atom.flags or ""
    read_other = make_reader(other)
    get = Seen.texts if "c" in flags else Seen.folded
    holds = _REFERENCES[flags.removeprefix("c")]

    def run(seen: Seen) -> Told:
        mine, others = get(seen, field, read), get(seen, other, read_other)
        if field in seen.unread or other in seen.unread:
            return None
        for text in mine:
            for part in others:
                if len(text) > LONG and not seen.may_search(len(text), 1):
                    return None
                if holds(text, part):
                    return True
        return False

    return run


_REFERENCES: dict[str, Callable[[str, str], bool]] = {
    "": str.__eq__,
    "s": str.startswith,
    "e": str.endswith,
    "se": str.__contains__,
}
