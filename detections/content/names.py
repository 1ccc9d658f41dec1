"""When two names of tools are alike enough to be taken for one another."""

import unicodedata

from detections.content.unseen import LOOK_ALIKES

_DIGITS = str.maketrans("0135", "oles")
SHORTEST = 6
"""Names below so many letters are alike by chance."""


def skeleton(name: str) -> str:
    """A name as the eye takes it: compatibility forms, look-alike letters, case and separators made one.

    As the skeleton of Unicode Technical Standard #39, section 4, for few letters, without separators.
    """
    plain = "".join(LOOK_ALIKES.get(c, c) for c in unicodedata.normalize("NFKC", name))
    return "".join(c for c in plain.casefold() if c.isalnum())


def mixes_scripts(name: str) -> bool:
    """Whether letters that look like Latin ones stand among Latin ones, or something without a shape."""
    if name.isascii():
        return False
    alike = any(c in LOOK_ALIKES for c in name) and any(c.isascii() and c.isalpha() for c in name)
    return alike or any(unicodedata.category(c) == "Cf" for c in name)


def are_alike(one: str, other: str) -> str:
    """How two different names are alike, in words; empty where they are not."""
    a, b = skeleton(one), skeleton(other)
    if a == b:
        return "looks the same"
    if min(len(a), len(b)) < SHORTEST or abs(len(a) - len(b)) > 1:
        return ""
    if a.translate(_DIGITS) == b.translate(_DIGITS):
        return "has digits for letters"
    return "differs by one letter" if _one_apart(a, b) and not _is_ordinary(a, b) else ""


def _one_apart(a: str, b: str) -> bool:
    """Whether one insertion, deletion, change or swap of neighbours makes them one (Damerau, 1964)."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return (len(a) <= 1 and len(b) <= 1) or (len(a) == 2 and a == b[::-1])


def _is_ordinary(a: str, b: str) -> bool:
    """Singular and plural, versions, and verbs such as get and set: names that people do tell apart."""
    short, long = sorted((a, b), key=len)
    if long in (short + "s", short + "d", short + "e"):
        return True
    if any(x != y and (x.isdigit() or y.isdigit()) for x, y in zip(a, b, strict=False)):
        return True
    return len(a) == len(b) and a[0] != b[0]
