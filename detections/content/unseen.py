"""Finds text that people do not see and models read: characters without a shape, hidden markup, codes.

Characters: Unicode 17, chapters 23.2 to 23.9 (layout and format controls, variation selectors, tags); pairs
of look-alike letters: Unicode Technical Standard #39, confusables.txt. Every search is linear.
"""

import binascii
import re
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

LOOK_ALIKES = dict(
    zip(
        "аеорсухіјѕһԁԛԝАВЕКМНОРСТХЅІЈονιρυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # noqa: RUF001 - that is what they are
        "aeopcyxijshdqwABEKMHOPCTXSIJovipuABEZHIKMNOPTYX",
        strict=True,
    )
)
"""Cyrillic and Greek letters that look like Latin ones."""

_CHARACTERS = (
    ("tag characters", re.compile("[\U000e0020-\U000e007e]{3,}")),
    ("zero-width characters", re.compile("[\u200b-\u200d\u2060-\u2064\ufeff\u180e\u034f]{6,}")),
    ("variation selectors", re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")),
    ("a direction override", re.compile("[\u202d\u202e][^\n\u202c]{3,400}")),
)
_ODD = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u180e\u034f\ufe00-\ufe0f\U000e0000-\U000e01ef]"
)
_SPLIT = re.compile("(?<=[A-Za-z])[\u200b-\u200d\u2060\ufeff](?=[A-Za-z])")
_FLAG = "\U0001f3f4"
SPLITS = 3
"""So many words split by a zero-width character are hiding something."""

_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_WORD = re.compile(r"[^\W\d_]{4,64}")
_LATIN = re.compile("[A-Za-z]")
_LOOK_ALIKE = re.compile(f"[{''.join(LOOK_ALIKES)}]")
_MIXED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") | LOOK_ALIKES.keys()

_STYLE = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0(?![.\d]*[1-9])"
    r"|opacity\s{0,3}:\s{0,3}0(?![.\d]*[1-9])|[^-]color\s{0,3}:\s{0,3}(?:white|#fff)\b|\shidden[\s>=]"
)
_TAG_LENGTH, _TEXT_LENGTH = 500, 4000
MOST_PLACES = 200

_CODED = re.compile(r"[A-Za-z0-9+/_-]{64,8192}={0,2}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_RUN = b"a" * 64
_CODES = bytes(97 if i < 128 and (chr(i).isalnum() or chr(i) in "+/-_") else 32 for i in range(256))


class Unseen(NamedTuple):
    """Something hidden: how, where, and the text that was hidden, as far as it can be told."""

    how: str
    start: int
    end: int
    text: str


def unescape(text: str) -> tuple[str, Callable[[int], int]]:
    r"""A JSON text with its \\uXXXX written out, and where a place of that stands in the text given."""
    pieces: list[str] = []
    starts, shifts = [0], [0]
    at = length = 0
    for match in _ESCAPES.finditer(text):
        units = [int(u, 16) for u in match[0].split("\\u")[1:]]
        written = b"".join(u.to_bytes(2, "little") for u in units).decode("utf-16-le", "replace")
        pieces += [text[at : match.start()], written]
        length += match.start() - at + len(written)
        at = match.end()
        starts.append(length)
        shifts.append(at - length)
    pieces.append(text[at:])

    def place(of: int) -> int:
        return of + shifts[bisect_right(starts, of) - 1]

    return "".join(pieces), place


def find_characters(text: str) -> Iterator[Unseen]:
    """Hidden by characters that have no shape, or turn the direction of reading."""
    if not _ODD.search(text):
        return
    for how, pattern in _CHARACTERS:
        for match in pattern.finditer(text):
            flag = match.end() - match.start() <= 6 and text[match.start() - 1 : match.start()] == _FLAG
            if not (flag and how == "tag characters"):
                yield Unseen(how, match.start(), match.end(), _decoded(match[0]))
    splits = list(_SPLIT.finditer(text))
    if len(splits) >= SPLITS:
        whole = "".join(c for c in text if not _ODD.match(c))
        yield Unseen("words split by zero-width characters", splits[0].start(), splits[-1].end(), whole)


def _decoded(run: str) -> str:
    """What tag characters and variation selectors stand for; the text itself of what is turned around."""
    return "".join(
        chr(ord(c) - 0xE0000)
        if "\U000e0020" <= c <= "\U000e007e"
        else chr(ord(c) - 0xE0100 + 16)
        if "\U000e0100" <= c <= "\U000e01ef"
        else c
        for c in run[:_TEXT_LENGTH]
        if c not in "\u202d\u202e"
    )


def find_mixed_words(text: str) -> list[Unseen]:
    """Words of Latin letters and of others that look like them, and of no other letters."""
    if text.isascii() or not _LOOK_ALIKE.search(text):
        return []
    return [
        Unseen("letters of other scripts", m.start(), m.end(), m[0])
        for m in _WORD.finditer(text)
        if not m[0].isascii() and _MIXED.issuperset(m[0]) and _LATIN.search(m[0])
    ]


def find_markup(text: str) -> Iterator[Unseen]:
    """In HTML comments, and in elements with a style that nobody sees."""
    at, places = text.find("<!--"), 0
    while at >= 0 and places < MOST_PLACES:
        end = text.find("-->", at + 4)
        if end < 0:
            break
        yield Unseen("an HTML comment", at, end + 3, text[at + 4 : min(end, at + _TEXT_LENGTH)])
        at, places = text.find("<!--", end), places + 1
    for number, match in enumerate(_STYLE.finditer(text)):
        if number == MOST_PLACES:
            return
        begin = text.rfind("<", max(0, match.start() - _TAG_LENGTH), match.start())
        close = text.find(">", match.start(), match.end() + _TAG_LENGTH)
        if begin >= 0 and close >= 0 and ">" not in text[begin : match.start()]:
            end = text.find("<", close, close + _TEXT_LENGTH)
            end = end if end >= 0 else min(len(text), close + _TEXT_LENGTH)
            if text[close + 1 : end].strip():
                yield Unseen("an invisible style", begin, end, text[close + 1 : end])


def may_hold_codes(text: str) -> bool:
    """Whether it has 64 characters of a code in a row."""
    raw = text.encode("ascii", "replace")
    if raw[::16].translate(_CODES).find(b"aaaa") < 0:  # so many of 64 in a row are looked at here: cheap
        return False
    return raw.translate(_CODES).find(_RUN) >= 0


def find_codes(text: str) -> Iterator[Unseen]:
    """Base64 and hexadecimal that decode to words."""
    for number, match in enumerate(_CODED.finditer(text)):
        if number == MOST_PLACES:
            return
        run = match[0].rstrip("=")
        how, raw = "Base64", b""
        try:
            if _HEX.fullmatch(run):
                how, raw = "hexadecimal", bytes.fromhex(run[: len(run) & ~1])
            else:
                usual = run.replace("-", "+").replace("_", "/")
                raw = b64decode(usual[: len(usual) & ~3])
        except (ValueError, binascii.Error):
            continue
        words = raw.decode("utf-8", "ignore")
        if len(words) >= 0.95 * len(raw) and _reads(words):
            yield Unseen(how, match.start(), match.end(), words[:_TEXT_LENGTH])


def _reads(text: str) -> bool:
    """Whether it reads as words: printable, with a blank every twenty characters or so."""
    printable = sum(c.isprintable() or c in "\r\n\t" for c in text)
    return printable >= 0.98 * len(text) and text.count(" ") >= len(text) / 20
