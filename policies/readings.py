"""What a text may name: the set of its readings, and how a rule's effect decides over them.

The tool behind an action may read a text in other ways than the rule's author did. So a restricting rule asks
whether any reading lies within its pattern, an allowing one whether all of them lie within one pattern. Pure.
"""

import re
import unicodedata
from typing import NamedTuple, Protocol

LONGEST = 4096
"""Characters of a text that is still read; also Linux's longest path."""

MOST = 64
"""Readings of one text; one with more is unreadable."""


class Readings(NamedTuple):
    """What a text may name.

    Attributes:
        values: distinct normalised readings in a fixed order; empty if the text names no such thing.
        unreadable: why the text cannot be read safely; empty where it can. Then there are no values, every
            restricting rule holds and no allowing one does.
    """

    values: tuple[str, ...]
    unreadable: str = ""


NOTHING = Readings(())


class Unsafe(ValueError):
    """A text that cannot be read safely; the message says why."""


class Holder(Protocol):
    """A pattern."""

    def holds(self, reading: str) -> bool:
        """Whether a reading lies within."""
        ...


def touches(readings: Readings, pattern: Holder) -> bool:
    """What deny, defer, require_approval and modify ask: might it lie within the pattern?"""
    return bool(readings.unreadable) or any(pattern.holds(value) for value in readings.values)


def inside(readings: Readings, pattern: Holder) -> bool:
    """What allow asks: does it lie within the pattern, however it is read?"""
    values = readings.values
    return bool(values) and not readings.unreadable and all(pattern.holds(value) for value in values)


_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)  # Unicode's Default_Ignorable_Code_Point: HFS+ and IDNA pass them over

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+|%u[0-9a-fA-F]{4}")


def has_control(text: str) -> bool:
    """Whether a text has control characters or line breaks of any kind."""
    return _CONTROL.search(text) is not None


def drop_control(text: str) -> str:
    """A text without its control characters and line breaks."""
    return _CONTROL.sub("", text)


def has_invisible(text: str) -> bool:
    """Whether a text has characters that leave no mark: zero-width, bidi marks, soft hyphens."""
    return _INVISIBLE.search(text) is not None


def has_surrogate(text: str) -> bool:
    """Whether a text has a lone surrogate, which no encoding carries."""
    return _SURROGATE.search(text) is not None


def decode_once(text: str) -> str:
    """Undo one level of percent encoding (RFC 3986, and `%uXXXX` as some servers read it).

    What is no escape stays.

    Raises:
        Unsafe: the bytes are not UTF-8 (overlong forms among them), or hide a control character.
    """
    decoded = _ESCAPES.sub(_decode, text)
    if decoded != text and has_control(decoded):
        raise Unsafe("its percent encoding hides a control character")
    return decoded


def _decode(found: re.Match[str]) -> str:
    run = found[0]
    if run[1] == "u":
        char = chr(int(run[2:], 16))
        if has_surrogate(char):
            raise Unsafe("its percent encoding holds half a character")
        return char
    try:
        return bytes.fromhex(run.replace("%", "")).decode()
    except UnicodeDecodeError:
        raise Unsafe("its percent encoding is not UTF-8") from None


def compose(text: str) -> str:
    """Compatibility form (NFKC) without invisible characters; letters' case stays."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))


def fold(text: str) -> str:
    """What texts have in common that differ in case, compatibility form or invisible characters only."""
    if text.isascii():
        return text.lower()
    for _ in range(3):  # folding may make new compatibility forms, and the other way round
        folded = compose(compose(text).casefold())
        if folded == text:
            break
        text = folded
    return text
