"""What is counted for and against a directive, and for and against a call that may be carrying one out.

All are small whole numbers, so that their weighted sum is the same everywhere.
"""

from typing import NamedTuple

from detections.flow.asked import Asked
from detections.flow.call import Call
from detections.flow.directive import SIGNS as OWN
from detections.flow.directive import Directive
from detections.flow.vocabulary import READ, TELLING, VISIT, WRITES

DIRECTIVE_SIGNS = (*OWN, "unasked_value", "unasked_words", "entrusted")
CALL_SIGNS = (
    "value", "values", "all_told", "same_doing", "value_and_doing", "strength", "pursued", "writes", "visits",
    "reads", "asked_values", "asked_words", "asked_name", "entrusted",
)  # fmt: skip

WEAKEST, STRONGEST = 4, 8
"""A strength of -4 logits and less counts as 0, one of 4 and more as 8."""


class Held(NamedTuple):
    """A directive as it is remembered.

    Attributes:
        strength: how much it looked like an instruction, in hundredths of a logit.
        doings, words, values: as in `Directive`.
        is_named: whether the user's words name where it stood.
        is_pursued: whether an earlier call already used what only it names.
    """

    strength: int
    doings: int
    words: frozenset[int]
    values: frozenset[int]
    is_named: bool = False
    is_pursued: bool = False


def _fifths(part: int, whole: int) -> int:
    """A share in fifths, rounded down; a few words count like at least three."""
    return 5 * part // max(whole, 3)


def directive_signs(directive: Directive, asked: Asked | None, is_named: bool) -> tuple[int, ...]:
    """The signs of a directive in the light of what was asked; None: not known, and then held for nothing."""
    if asked is None:
        return (*directive.signs, 0, 0, 0)
    return (
        *directive.signs,
        int(not directive.values <= asked.values),
        _fifths(len(directive.words - asked.words), len(directive.words)),
        int(is_named and asked.delegates),
    )


def call_signs(call: Call, held: Held, asked: Asked) -> tuple[int, ...]:
    """The signs that a call carries out a directive that was read before it."""
    told = known = 0
    for value in call.values:
        if value.sum in asked.values or (value.words and value.words <= asked.words):
            known += 1
        elif value.sum in held.values or (value.words and value.words <= held.words):
            told += 1
    values = len(call.values)
    has = int(told > 0)
    same = int(bool(call.doings & held.doings & TELLING))
    return (
        has,
        _fifths(told, values),
        int(told > 0 and told + known == values),
        same,
        has & same,
        min(max(held.strength // 100 + WEAKEST, 0), STRONGEST),
        int(held.is_pursued),
        int(bool(call.doings & WRITES)),
        int(bool(call.doings & VISIT)),
        int(call.doings == READ),
        _fifths(known, values),
        _fifths(len(call.words & asked.words), len(call.words)),
        int(bool(call.name & asked.words)),
        int(asked.delegates and held.is_named),
    )
