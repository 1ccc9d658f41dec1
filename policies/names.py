"""Names in a path, and patterns of names: `*` any number of characters of one name, `?` one.

A name in a text may itself stand for several: a shell's wildcard, a variable, a Windows short name. Matching
never backtracks over more than one `*`; two patterns are compared in the product of their lengths.
"""

import re
from collections.abc import Sequence

_SHORT = re.compile(r"[^.~ ]{1,6}~[0-9]{1,6}(?:\.[^.]{0,3})?")
_SEVERAL = re.compile(r"[*?\[{$%]|~[0-9]")
_STANDS_FOR_MANY = re.compile(
    r"\{[^{}]*(?:,|\.\.)[^{}]*\}|\$[A-Za-z_][A-Za-z0-9_]*|%(?![0-9A-Fa-f]{2})[A-Za-z_][A-Za-z0-9_()]*%|[@+!?*]\([^()]*\)"
)
_SET = re.compile(r"\[[!^]?\]?[^\]]*\]")
_STARS = re.compile(r"\*+")
ANYTHING = "**"
LONGEST_NAME = 255


class Name:
    """One name of a pattern.

    Attributes:
        text: as written, `*` and `?` among it.
        plain: whether it has no wildcard.
    """

    __slots__ = ("_regex", "plain", "text")

    def __init__(self, text: str) -> None:
        """Compile."""
        self.text = text
        self.plain = "*" not in text and "?" not in text
        first, *rest = (re.escape(part).replace(r"\?", ".") for part in _STARS.split(text))
        middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
        last = f".*{rest[-1]}" if rest else ""
        self._regex = re.compile(f"(?s:{first}{middle}{last})")

    def fits(self, name: str) -> bool:
        """Whether a name as it stands is one of those meant."""
        return name == self.text if self.plain else self._regex.fullmatch(name) is not None

    def may_fit(self, name: str) -> bool:
        """Whether a name, or one of those it may stand for, is one of those meant."""
        return self.fits(name) or (stands_for_several(name) and overlap(self.text, widen(name)))


def stands_for_several(text: str) -> bool:
    """Whether anything in a text might stand for several names."""
    return _SEVERAL.search(text) is not None


def widen(name: str) -> str:
    """A pattern (`*`, `?`) of at least the names that a name may stand for; itself where it is only that."""
    if _SHORT.fullmatch(name):
        stem, dot, ending = name.partition(".")
        return f"{stem[:2]}*{dot}{ending}" + "*" * bool(ending)
    if not stands_for_several(name):
        return name
    if len(name) > LONGEST_NAME:
        return "*"
    return _STARS.sub("*", _SET.sub("?", _STANDS_FOR_MANY.sub("*", name)))


def overlap(one: str, other: str) -> bool:
    """Whether some name satisfies both patterns."""
    row = [True] + [False] * len(other)
    for j, char in enumerate(other):
        row[j + 1] = row[j] and char == "*"
    for mine in one:
        before = row
        row = [before[0] and mine == "*"]
        for j, char in enumerate(other):
            if mine == "*":
                row.append(before[j + 1] or row[j])
            elif char == "*":
                row.append(row[j] or before[j + 1])
            else:
                row.append(before[j] and (mine == char or "?" in (mine, char)))
    return row[-1]


def lead_into(pattern: Sequence[Name], names: Sequence[str], loose: bool) -> bool:
    """Whether a path's names begin with a pattern's; `**` in the pattern is any number of names.

    Args:
        pattern: at most one of its names is `**`.
        names: of the path.
        loose: whether a name of the path may stand for several.
    """
    gap = next((i for i, name in enumerate(pattern) if name.text == ANYTHING), -1)
    if gap < 0:
        return _begins(pattern, names, loose)
    if not _begins(pattern[:gap], names, loose):
        return False
    if loose and names and names[-1] == ANYTHING:
        return True
    tail = pattern[gap + 1 :]
    return any(_begins(tail, names, loose, i) for i in range(gap, len(names) - len(tail) + 1))


def _begins(pattern: Sequence[Name], names: Sequence[str], loose: bool, start: int = 0) -> bool:
    for i, name in enumerate(pattern, start):
        if i >= len(names):
            return False
        if loose and names[i] == ANYTHING:
            return True
        if not (name.may_fit(names[i]) if loose else name.fits(names[i])):
            return False
    return True
