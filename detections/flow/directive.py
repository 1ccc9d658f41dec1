"""Sentences of a text that tell somebody to do something, and how such a sentence is made.

A directive is a sentence with a verb where one is told to do it: at its beginning, after a mark within it, or
after words like "please", "you must", "make sure to", "could you". Looked at besides the sentence is what
stands right before and after it in the same part of the text.
"""

import re
from bisect import bisect_left
from typing import NamedTuple

from detections.flow.grammar import OPENERS, told
from detections.flow.text import parts, value_sum, values_in, word_list, words_in
from detections.flow.vocabulary import IMPERATIVES, READERS, SOCIAL, STEERING

# ruff: noqa: RUF001 - marks of all kinds stand in texts

LONGEST_SENTENCE = 600
BRIEF = 3
"""Sentences of a brief part, at most."""
MOST_WORDS, MOST_VALUES = 32, 8

_HEAD = re.compile(
    r"(?:[\n.!?:;,\])}>\"'*#–—-]|[ \t]{3})[\s\"'(\[*#>-]{0,24}"
    rf"(?:(?:{'|'.join(sorted(OPENERS))}) )*(?=([a-z]+)\s)"
)
_FIRST = re.compile(r"\W*([a-z]+)\s")
_ASKED = re.compile(
    r"\s(?:please|kindly|must|should|shall|you|to|then|and|also|now|immediately|first|next|instead|"
    r"just|simply|again|let's)(?=\s+([a-z]+)\s)"
)
_LISTED = re.compile(r"\s*[-*•]?\s*(?:\d+[.)]|[-*•])\s")
_KEY = re.compile(r"[\s-]*[\"']?[a-z_][\w-]*[\"']?:\s")
_SENTENCE = re.compile(r"[.!?;][\"')\]]*\s+(?=\S)|\n(?=[ \t\r]*[^a-z\s])")
_USER = frozenset(("user", "user's", "user''s", "users"))


class Directive(NamedTuple):
    """One directive, without regard to what was asked.

    Attributes:
        start, end: its place in the text: the sentence and its neighbours.
        doings: what is to be done, as bits of the vocabulary.
        words, values: checksums of what it names.
        signs: how it is made: 0 or 1, or a small number, in the order of `SIGNS`.
    """

    start: int
    end: int
    doings: int
    words: frozenset[int]
    values: frozenset[int]
    signs: tuple[int, ...]


SIGNS = (
    "set_apart", "readers", "steering", "value", "values", "introduced", "brief", "listed", "user", "social",
)  # fmt: skip


def candidates(lower: str) -> list[int]:
    """Where a verb stands that may tell somebody to do something."""
    found = [m.start(1) for m in _HEAD.finditer(lower) if m[1] in IMPERATIVES]
    found += [m.start(1) for m in _ASKED.finditer(lower) if m[1] in IMPERATIVES]
    head = _FIRST.match(lower)
    if head and head[1] in IMPERATIVES:
        found.append(head.start(1))
    found.sort()
    return found


def directives(text: str, lower: str) -> list[Directive]:
    """The directives of a text (unfolded) and the same in lower case, in order."""
    verbs = candidates(lower)
    found: list[Directive] = []
    if not verbs:
        return found
    at = 0
    for begin, end, apart in parts(lower):
        while at < len(verbs) and verbs[at] < begin:
            at += 1
        if at == len(verbs):
            break
        if verbs[at] < end:
            found += _in_part(text, lower, (begin, end, apart), verbs)
    return found


def _in_part(text: str, lower: str, part: tuple[int, int, bool], verbs: list[int]) -> list[Directive]:
    begin, end, is_apart = part
    found = []
    bounds = _bounds(text, begin, end)
    count = len(bounds) - 1
    is_listed = _LISTED.match(lower, begin) is not None
    for i, at in enumerate(bounds[:-1]):
        stop = bounds[i + 1]
        if bisect_left(verbs, at) == bisect_left(verbs, stop):
            continue
        key = _KEY.match(text, at, stop) if i == 0 else None
        sentence = " ".join(lower[key.end() if key else at : stop].split()).strip(" '\"-*•")
        doings, is_introduced = told(sentence)
        if doings:
            place = bounds[max(i - 1, 0)], bounds[min(i + 2, count)]
            form = (is_introduced, is_apart, count <= BRIEF, is_listed)
            found.append(_directive(sentence, lower, place, doings, form))
    return found


def _bounds(text: str, begin: int, end: int) -> list[int]:
    """Where the sentences of a part begin, and its end; a longer sentence is taken for several."""
    bounds = [begin]
    for stop in (*(m.end() for m in _SENTENCE.finditer(text, begin, end)), end):
        while stop - bounds[-1] > LONGEST_SENTENCE:
            bounds.append(bounds[-1] + LONGEST_SENTENCE)
        bounds.append(stop)
    return bounds


def _directive(
    sentence: str, lower: str, place: tuple[int, int], doings: int, form: tuple[bool, ...]
) -> Directive:
    near = lower[place[0] : place[1]]
    near_words, values = words_in(near), values_in(sentence)
    words = dict.fromkeys([*word_list(words_in(sentence)), *word_list(near_words)])
    sums = dict.fromkeys(value_sum(v) for v in (*values, *values_in(near)))
    return Directive(
        *place,
        doings,
        frozenset([*words][:MOST_WORDS]),
        frozenset([*sums][:MOST_VALUES]),
        _signs(set(near_words), len(values), form),
    )


def _signs(said: set[str], values: int, form: tuple[bool, ...]) -> tuple[int, ...]:
    is_introduced, is_apart, is_brief, is_listed = form
    return (
        int(is_apart),
        min(len(said & READERS), 2),
        min(len(said & STEERING), 3),
        int(values > 0),
        min(values, 3),
        int(is_introduced),
        int(is_brief),
        int(is_listed),
        int(not said.isdisjoint(_USER)),
        min(len(said & SOCIAL), 3),
    )
