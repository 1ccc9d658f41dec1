"""Where in an action that is which a rule found: places for people, redacted.

What a rule's own text stands for is shown as the action has it; what an expression or a pattern found may be
a secret, so only its first characters are. For at most `MOST_TRIED` comparisons, in the first `LOOKED_AT`
characters of a value: a finding says where to look, not everything that is there.
"""

from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Any

from detections.finding import short
from detections.sigma.expression import compile_expression
from detections.sigma.fields import make_reader, text_of
from detections.sigma.rule import Atom, Not, SigmaRule, parts
from schemas.action import Action
from schemas.arguments import Unreadable
from schemas.verdict import Span

MOST_SPANS = 8
MOST_TRIED = 64
LOOKED_AT = 262_144
SHOWN = 4
"""Characters of what an expression found."""


def find_spans(rule: SigmaRule, action: Action) -> tuple[Span, ...]:
    """The first places in an action that a rule's comparisons of texts are true of."""
    found = (span for atom in islice(_asked(rule.condition), MOST_TRIED) for span in _places(atom, action))
    return tuple(islice(found, MOST_SPANS))


def _asked(condition: Any) -> Iterator[Atom]:
    """The comparisons that are to hold: none of those beneath a `not`."""
    if isinstance(condition, Atom):
        yield condition
    elif not isinstance(condition, Not):
        for part in parts(condition):
            yield from _asked(part)


def _places(atom: Atom, action: Action) -> Iterator[Span]:
    if atom.op not in ("is", "contains", "starts", "ends", "re") or not isinstance(atom.value, str):
        return
    try:
        values = make_reader(atom.field)(action)
    except Unreadable:
        return
    for value in values:
        text = (text_of(value) or "")[:LOOKED_AT]
        place = _expression(atom, text) if atom.op == "re" else _plain(atom, text)
        if place is not None and place[0] < place[1]:
            shown = text[place[0] : place[1]]
            if atom.op == "re" and len(shown) > SHOWN:
                shown = shown[:SHOWN] + "…"
            yield Span(action.event_id, atom.field, *place, short(shown))
            return


def _expression(atom: Atom, text: str) -> tuple[int, int] | None:
    found: Any = compile_expression(str(atom.value), atom.flags or "").search(text)
    return None if found is None else (found.start(), found.end())


def _plain(atom: Atom, text: str) -> tuple[int, int] | None:
    """Where a text stands in another, whose folded form may be longer."""
    cased = "c" in (atom.flags or "")
    wanted = str(atom.value) if cased else str(atom.value).casefold()
    folded = text if cased else text.casefold()
    at = {"ends": len(folded) - len(wanted), "contains": folded.find(wanted)}.get(atom.op, 0)
    if at < 0 or not folded.startswith(wanted, at) or (atom.op == "is" and folded != wanted):
        return None
    if len(folded) == len(text):
        return at, at + len(wanted)
    ends = list(accumulate(len(char.casefold()) for char in text))
    first = sum(1 for end in ends if end <= at)
    return first, 1 + sum(1 for end in ends if end < at + len(wanted))
