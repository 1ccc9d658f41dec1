"""Whether one pattern means all that another one does. Never said unless it is certain."""

import re
from collections.abc import Sequence

from documents.pattern import Token, read_tokens
from policies.paths import PathPattern

FILLER = "\x01"
"""Stands for any one character, in samples."""


def covers(wide: str, narrow: str) -> bool:
    """Whether every text that `narrow` means is meant by `wide`; False also where that is not certain.

    All places in the wide pattern are followed that are reached whatever text the narrow one stands for.
    """
    if wide in (narrow, "*"):
        return True
    target = read_tokens(wide)
    reached = _skip(target, {0})
    for token in read_tokens(narrow):
        reached = _step(target, reached, token)
        if not reached:
            return False
    return len(target) in reached


def _step(target: Sequence[Token], reached: set[int], token: Token) -> set[int]:
    if token[0] == "any":
        # of any number of characters, only what `*` takes can be sure to have taken all of them
        return _skip(target, {i for i in reached if i < len(target) and target[i][0] == "any"})
    after: set[int] = set()
    for i in reached:
        if i < len(target):
            if target[i][0] == "any":
                after.add(i)
            elif _takes(target[i], token):
                after.add(i + 1)
    return _skip(target, after)


def _skip(target: Sequence[Token], places: set[int]) -> set[int]:
    """With the places behind a `*`, which may stand for nothing."""
    found = set(places)
    for i in sorted(places):
        at = i
        while at < len(target) and target[at][0] == "any":
            at += 1
            found.add(at)
    return found


def _takes(wide: Token, narrow: Token) -> bool:
    """Whether every character of the one token is one of the other's."""
    if wide[0] == "one" or wide == narrow:
        return True
    return narrow[0] == "text" and wide[0] == "set" and re.fullmatch(wide[1], narrow[1], re.S) is not None


def sample(pattern: str, filler: str = FILLER) -> str:
    """A text that a pattern means; `filler` stands where any character may."""
    return "".join(_sample(token, filler) for token in read_tokens(pattern))


def _sample(token: Token, filler: str) -> str:
    if token[0] != "set":
        return token[1] or filler
    fits = (c for c in map(chr, range(1, 0x10000)) if re.fullmatch(token[1], c, re.S))
    return filler if re.fullmatch(token[1], filler, re.S) else next(fits, filler)


def path_covers(wide: str, narrow: str) -> bool:
    """Whether all that lies for certain within one place lies within the other; only if that is certain.

    What might lie within the narrow one need not touch the wide one: `../keys` may be `/srv/keys`, and so
    touches that, but not `/srv`.
    """
    one, other = PathPattern.parse(wide), PathPattern.parse(narrow)
    if one.everywhere or wide == narrow:
        return True
    pairs = ((one.strict, other.strict), (one.loose, other.loose))
    return one.windows == other.windows and all(
        form.literal and any(mine.literal and form.text.startswith(mine.start) for mine in own)
        for own, others in pairs
        for form in others
    )
