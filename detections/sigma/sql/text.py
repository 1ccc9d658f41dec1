"""Values as ClickHouse's SQL writes them."""

from collections.abc import Iterable

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A text as a literal: whatever is in it, it ends nowhere but at its end.

    Raises:
        UnicodeEncodeError: it holds half a character, which no table can.
    """
    text.encode()
    return "'" + "".join(_ESCAPES.get(c, c) for c in text) + "'"


def number(value: float) -> str:
    """A number as a literal of its own type; whole numbers up to 2^53, as rules have them."""
    if isinstance(value, int):
        return f"toInt64({value})"
    return f"toFloat64({quoted(repr(value))})"


def listed(parts: Iterable[str]) -> str:
    """Expressions as an array."""
    return "[" + ", ".join(parts) + "]"


def joined(word: str, parts: Iterable[str], empty: str) -> str:
    """Expressions with `AND` or `OR` between them, in brackets."""
    return "(" + f" {word} ".join(parts) + ")" if (parts := list(parts)) else empty
