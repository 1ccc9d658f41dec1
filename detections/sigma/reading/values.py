"""From pySigma's values to comparisons: what a value of a rule, its modifiers applied, asks of a field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from typing import Any

from sigma.types import (
    Placeholder,
    SigmaCasedString,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
)

from detections.sigma.fields import BY_NAME, KEYWORDS, find_field
from detections.sigma.patterns import Wild
from detections.sigma.reading.atoms import Parts, Refused, compared_atoms, make_atom, plain_atom, text_atom
from detections.sigma.rule import MOST_ATOMS, And, Atom, Or
from detections.sigma.taxonomy import WIDE, fields_of

Lists = Mapping[str, Sequence[str]]
"""Named lists: what `%name%` stands for with the modifier `expand`. Their entries may hold wildcards."""
FieldsOf = Callable[[str], Sequence[str]]
"""The fields that a name in a rule stands for."""

_WILD = {SpecialChars.WILDCARD_MULTI: Wild.ANY, SpecialChars.WILDCARD_SINGLE: Wild.ONE}
_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}


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
                yield text_atom(field, parts, flags)
        elif isinstance(value, SigmaRegularExpression):
            flags = "".join(sorted(_FLAGS[flag] for flag in value.flags)) or None
            for parts in self._expanded(value.regexp):
                yield make_atom(
                    "re", field, "".join(p if isinstance(p, str) else p.value for p in parts), flags
                )
        elif isinstance(value, SigmaFieldReference):
            flags = "s" * value.starts_with + "e" * value.ends_with
            for other in self.fields_of(value.field):
                yield make_atom("ref", field, other, flags or None)
        elif isinstance(value, SigmaCompareExpression):
            yield from compared_atoms(field, value)
        else:
            yield plain_atom(field, value)

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


def _no_field(name: str) -> str:
    near = get_close_matches(name, [n for n in (*WIDE, *BY_NAME) if "<" not in n], 1)
    hint = f"did you mean {near[0]!r}?" if near else "an argument is args.<name>, a label labels.<name>"
    return f"there is no field {name!r}; {hint}"


def _no_list(name: str, lists: Lists) -> str:
    known = ", ".join(sorted(lists)) or "none"
    return f"no list is called {name!r}, so %{name}% stands for nothing; the lists are: {known}"
