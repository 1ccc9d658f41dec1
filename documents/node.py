"""Values of YAML with their places, and what may be wrong with them."""

import math
import re
from typing import Any, NamedTuple


class Mistake(NamedTuple):
    """Something wrong in a file, told so that a person can mend it. Lines and columns count from 1."""

    source: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}: {self.message}"


class Node:
    """A value with its place.

    Attributes:
        value: the plain Python value, whole.
        line: where it begins, from 1.
        column: likewise.
        children: of a mapping by key, of a list by number.
        keys: where a mapping's keys stand.
        size: how many values it holds, aliases expanded.
        text: where a text's own first line begins, and the column of those after it, if its lines stand in
            the file as they are; None where they do not (folded, escaped), or it is no text.
    """

    __slots__ = ("children", "column", "keys", "line", "size", "text", "value")

    def __init__(self, value: Any, line: int, column: int) -> None:
        """Begin a node without children."""
        self.value = value
        self.line = line
        self.column = column
        self.children: dict[str | int, Node] = {}
        self.keys: dict[str, tuple[int, int]] = {}
        self.size = 1
        self.text: tuple[int, int, int] | None = None

    def find(self, path: tuple[str | int, ...]) -> "Node":
        """The node at a path, or the last one on the way to it."""
        node = self
        for step in path:
            if step not in node.children:
                break
            node = node.children[step]
        return node


_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NAMED = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), math.inf),
    "-.inf": -math.inf,
}


def resolve(text: str) -> Any:
    """The core schema's value of a plain scalar; a number with leading zeros stays a text."""
    if text in _NAMED:
        return _NAMED[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    return text
