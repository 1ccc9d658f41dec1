"""Patterns: `*` stands for any characters, none too; `?` for one; a backslash makes them plain."""

import re
from collections.abc import Callable
from enum import Enum

from detections.sigma.expression import compile_expression

_TOKEN = re.compile(r"\\[*?\\]|.", re.S)


class Wild(Enum):
    """What is no plain text in a pattern."""

    ANY = "*"
    ONE = "?"


_WRITTEN = {Wild.ANY: ".*", Wild.ONE: "."}


def split_pattern(pattern: str) -> list[str | Wild]:
    """A pattern as its plain texts and wildcards, in order."""
    found: list[str | Wild] = []
    for token in _TOKEN.findall(pattern):
        if token in ("*", "?"):
            found.append(Wild(token))
        elif found and isinstance(found[-1], str):
            found[-1] += token[-1]
        else:
            found.append(token[-1])
    return found


def escape(text: str) -> str:
    """A plain text as a pattern."""
    return re.sub(r"[*?\\]", r"\\\g<0>", text)


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """What tells whether all of a text is as a pattern says; linear in the text.

    Raises:
        ValueError: it is too large.
    """
    found = split_pattern(pattern)
    if Wild.ONE in found:
        return _by_expression(found)
    texts = [part for part in found if isinstance(part, str)]
    if Wild.ANY not in found:
        whole = "".join(texts)
        return lambda text: text == whole
    first = texts.pop(0) if isinstance(found[0], str) else ""
    last = texts.pop() if isinstance(found[-1], str) else ""
    return _in_order(first, texts, last)


def _in_order(first: str, middle: list[str], last: str) -> Callable[[str], bool]:
    least = len(first) + len(last)

    def run(text: str) -> bool:
        if len(text) < least or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return run


def _by_expression(found: list[str | Wild]) -> Callable[[str], bool]:
    written = "".join(_WRITTEN[part] if isinstance(part, Wild) else re.escape(part) for part in found)
    search = compile_expression(rf"\A{written}\z", "s", longest=len(written) + 4).search
    return lambda text: search(text.encode()) is not None
