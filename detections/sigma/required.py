"""Texts that must stand in whatever a regular expression of RE2 is found in.

As RE2's own prefilter does it: of each part of an expression either all texts that it may match are known, if
they are few, or only texts of which it must hold one. It may know too little, never a wrong thing.
"""

import re
from dataclasses import dataclass
from itertools import product

MOST_TEXTS = 16
"""Texts that a part may match, beyond which it is not followed further."""
LONGEST_TEXT = 48

Texts = frozenset[str]
"""One of which must be there."""

_TOKEN = re.compile(
    r"""(?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{[^}]*\}|\\.|[^\]\\])*\])
    |(?P<empty>\\[AzbB]|[\^$])
    |\\(?P<plain>[^0-9A-Za-z])
    |(?P<several>\\[pPx]\{[^}]*\}|\\[pP].|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\.|\.)
    |(?P<flags>\(\?[imsU]*(?:-[imsU]+)?\))
    |(?P<open>\((?:\?P?<\w+>|\?[imsU]*(?:-[imsU]+)?:)?)
    |(?P<close>\))
    |(?P<or>\|)
    |(?P<repeat>(?P<least>[?*+]|\{(?P<count>[0-9]+)(?:,[0-9]*)?\})\??)
    |(?P<char>.)""",
    re.S | re.X,
)
_SMALL_CLASS = re.compile(r"\[((?:\\[^0-9A-Za-rt-z]|[^\]\\^\[-])+)\]")
_NUMBERED = re.compile(r"\\x(?:([0-7][0-9A-Fa-f])|\{(0*[0-7]?[0-9A-Fa-f])\})")
_EMPTY: Texts = frozenset([""])


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of a part: all that it may match (or None), and what must be there besides.

    Where it is `open`, `whole` is only what it begins with.
    """

    whole: Texts | None
    needs: tuple[Texts, ...] = ()
    open: bool = False

    def demands(self) -> tuple[Texts, ...]:
        """Everything of which one must be there."""
        known = self.whole is not None and "" not in self.whole
        return (*self.needs, self.whole) if known and self.whole is not None else self.needs


_NOTHING = _Part(_EMPTY)
_ANYTHING = _Part(None)
_SPACES = "\t\n\f\r "
"""RE2's white space."""
_SPACE = _Part(frozenset(_SPACES))


class _Unknown(Exception):
    """The expression holds what is not followed here."""


def required(pattern: str) -> list[Texts]:
    """Sets of texts in lower case: one of each stands in any text that the expression is found in."""
    try:
        part, at = _alternatives(pattern, 0)
    except (_Unknown, RecursionError):
        return []
    return list(part.demands()) if at == len(pattern) else []


def split_expression(pattern: str) -> list[str]:
    """Expressions, one of which is found in a text if this one is; itself, if it has no `|` outside."""
    found, depth, start, at = [], 0, 0, 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None or token[0] == "\\Q" or token["flags"]:  # flags would hold for what follows, too
            return [pattern]
        depth += bool(token["open"]) - bool(token["close"])
        if token["or"] and depth == 0:
            found.append(pattern[start:at])
            start = token.end()
        at = token.end()
    return [*found, pattern[start:]]


def _alternatives(pattern: str, at: int) -> tuple[_Part, int]:
    """What stands from `at` to the end of the group, or of the expression."""
    branches: list[_Part] = []
    while True:
        branch, at = _sequence(pattern, at)
        branches.append(branch)
        if not pattern.startswith("|", at):
            return _either(branches), at
        at += 1


def _either(branches: list[_Part]) -> _Part:
    if len(branches) == 1:
        return branches[0]
    whole: set[str] = set()
    if all(b.whole is not None and not b.needs for b in branches):
        whole.update(*(b.whole for b in branches if b.whole is not None))
        if len(whole) <= MOST_TEXTS:
            return _Part(frozenset(whole))
    demands = [min(b.demands(), key=_worth, default=None) for b in branches]
    joined = frozenset(text for demand in demands if demand is not None for text in demand)
    return _Part(None, () if None in demands or len(joined) > 8 * MOST_TEXTS else (joined,))


def _worth(texts: Texts) -> float:
    """Smaller is better: about the share of texts that hold one of them; few have tabs or line ends there."""
    return sum(0.6 ** len(text) * (1 if text.isprintable() else 0.05) for text in texts)


def _sequence(pattern: str, at: int) -> tuple[_Part, int]:
    """What stands up to a `|` or `)`."""
    needs: list[Texts] = []
    whole, followed = _EMPTY, True
    while at < len(pattern) and pattern[at] not in "|)":
        part, at = _one(pattern, at)
        needs += part.needs
        longer = _joined(whole, part.whole)
        if longer is None:
            # what came so far ends here: it must be there, and what follows begins anew
            needs += _Part(whole).demands()
            longer, followed = part.whole or _EMPTY, False
        if part.open:
            needs += _Part(longer).demands()
            longer, followed = _EMPTY, False
        whole = longer
    if followed and not needs:
        return _Part(whole), at
    return _Part(None, (*needs, *_Part(whole).demands())), at


def _joined(before: Texts, after: Texts | None) -> Texts | None:
    """Each text followed by each other; None if that is not known, or too much."""
    if after is None or len(before) * len(after) > MOST_TEXTS:
        return None
    found = frozenset(a + b for a, b in product(before, after))
    return found if max(map(len, found)) <= LONGEST_TEXT else None


def _one(pattern: str, at: int) -> tuple[_Part, int]:
    """One token or group with its repetition."""
    token = _TOKEN.match(pattern, at)
    if token is None or token[0] == "\\Q" or token["repeat"]:
        raise _Unknown
    at = token.end()
    if token["open"]:
        part, at = _alternatives(pattern, at)
        if not pattern.startswith(")", at):
            raise _Unknown
        at += 1
    else:
        part = _plain(token)
    repeat = _TOKEN.match(pattern, at)
    while repeat is not None and repeat["repeat"]:
        part = _repeated(part, repeat)
        at = repeat.end()
        repeat = _TOKEN.match(pattern, at)
    return part, at


def _plain(token: re.Match[str]) -> _Part:
    if token["empty"] or token["flags"]:
        return _NOTHING
    if token[0] == "\\s":
        return _SPACE
    char = token["plain"] or token["char"] or _written(token[0])
    if char:
        return _Part(frozenset([char.lower()])) if char.isascii() else _ANYTHING
    small = _SMALL_CLASS.fullmatch(token[0])
    if small:
        chars = re.sub(r"\\(.)", lambda escaped: _SPACES if escaped[1] == "s" else escaped[1], small[1])
        if chars.isascii():
            return _Part(frozenset(chars.lower()))
    return _ANYTHING


def _written(token: str) -> str | None:
    """The character that a token gives by its number."""
    found = _NUMBERED.fullmatch(token)
    return chr(int(found[1] or found[2], 16)) if found else None


def _repeated(part: _Part, repeat: re.Match[str]) -> _Part:
    if part.open:
        part = _Part(None, part.demands())
    if repeat["least"] == "?" and part.whole is not None and not part.needs:
        return _Part(part.whole | _EMPTY)
    if repeat["least"] == "+" or int(repeat["count"] or 0) > 0:
        return _Part(part.whole, part.needs, True) if part.whole is not None else _Part(None, part.needs)
    return _ANYTHING
