"""Words and values of a text, known by short checksums; and its parts, in place.

Words are letters and digits in lower case, without the endings that English puts on them. Values are what one
does not make up: addresses of mail and pages, paths, file names, and whatever holds a digit.
"""

import re
from functools import lru_cache
from zlib import crc32

from detections.flow.vocabulary import STOP

_WORD = re.compile(r"[a-z0-9]+(?:''?[a-z]+)?")
_EDGE = r"\s\"'<>()\[\]{},;|`"
_TOKEN = re.compile(rf"(?<![^{_EDGE}])[^{_EDGE}\d@./]{{0,128}}[\d@./][^{_EDGE}]{{1,128}}")
_NAMED = re.compile(
    r"@[\w-]+\.|^https?://|^www\.|^/\w|^[\w.-]{2,}/[\w.-]{3,}|\w\.[a-z]{2,5}(?:$|[/:?#])|\d\D*\d\D*\d\D*\d|^[a-z]+[-_]?\d|\d[-_]?[a-z]"
)
_COMMON = re.compile(
    r"[$€£]?\d[\d,]*(?:\.\d+)?%?|\d{1,4}[-/.]\d\d?[-/.]\d{1,4}[.:]?|\d\d?(?::\d\d)+(?:[ap]m)?|\d+(?:st|nd|rd|th|am|pm|h|min)[.:]?"
)
"""Amounts, dates and times: anybody may come to them."""
_EDGES = " .,;:!?'\"()[]<>{}`*"
_ENDINGS = ("ings", "ing", "ied", "ies", "ed", "es", "ly", "s")


@lru_cache(maxsize=1 << 14)
def _word(word: str) -> int:
    """A word's checksum, 16 bits; 0 for one that says nothing."""
    word = word.split("'")[0]
    if len(word) < 2 or word in STOP:
        return 0
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3:
        word = word.rstrip("e")
        if word[-1] == word[-2]:
            word = word[:-1]
        if word[-1] == "y":
            word = word[:-1] + "i"
    return (crc32(word.encode()) & 0xFFFF) or 1


def words_in(lower: str) -> list[str]:
    """The words of a text in lower case, in order."""
    return _WORD.findall(lower)


def word_sums(words: list[str]) -> set[int]:
    """The checksums of those that say something."""
    sums = set(map(_word, words))
    sums.discard(0)
    return sums


def word_list(words: list[str]) -> list[int]:
    """The same, in order, repetitions too."""
    return [s for s in map(_word, words) if s]


def canonical(value: str) -> str:
    """One spelling of a value that is written in several."""
    value = value.strip(_EDGES).lower()
    for prefix in ("https://", "http://", "www."):
        if value.startswith(prefix):
            value = value[len(prefix) :]
    return value.rstrip("/.")


def value_sum(value: str) -> int:
    """A value's checksum, 32 bits."""
    return crc32(canonical(value).encode())


def values_in(lower: str) -> list[str]:
    """The values of a text in lower case, as they stand."""
    found = []
    for token in _TOKEN.findall(lower):
        value = token.strip(".:!?*_'")
        if len(value) > 3 and _NAMED.search(value) and not (len(value) < 12 and _COMMON.fullmatch(value)):
            found.append(value)
    return found


def lowered(text: str) -> str:
    """The text in lower case, character for character, so that places in it stay places."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


_ESCAPES = (("\\n", "\n "), ("\\t", "\t "), ('\\"', ' "'), ("\\'", " '"))
_FOLD = re.compile(r"\\[ \t]*\n[ \t]*(?:\\ )?|\\ ")
_POINT = re.compile(r"\\u[0-9a-fA-F]{4}")


def unfolded(text: str) -> str:
    """The text with the escapes of JSON and YAML resolved, each place kept."""
    if "\\" not in text:
        return text
    for escape, plain in _ESCAPES:
        text = text.replace(escape, plain)
    if "\\u" in text:
        text = _POINT.sub("'     ", text)
    return _FOLD.sub(lambda fold: " " * len(fold[0]), text)


_BREAK = re.compile(
    r"\n[ \t]*\n\s*"  # a blank line
    r"|\n[ \t]*(?:(?=[-*#•][ \t])|(?=\d+[.)][ \t])|(?=[\w.'\"-]{1,40}:[ \n]))"  # an item, a step, a key
    r"|['\"\]}] ?[,:] ?(?=['\"\[{\d])|[\[{](?=['\"])"  # JSON and its like
    r"|</?[a-z!][^<>\n]{0,300}>"  # markup
)
"""Each way begins with a mark, so that the search is for marks."""


def parts(text: str) -> list[tuple[int, int, bool]]:
    """Where the parts of a text are: begin, end, and whether blank lines set it apart on both sides."""
    found: list[tuple[int, int, bool]] = []
    begin, blank = 0, False
    for gap in _BREAK.finditer(text):
        is_blank = gap[0].count("\n") > 1
        if gap.start() > begin:
            found.append((begin, gap.start(), blank and is_blank))
        begin, blank = gap.end(), is_blank
    if len(text) > begin:
        found.append((begin, len(text), False))
    return found
