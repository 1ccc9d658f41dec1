"""What a call does, and with which words and values."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from detections.flow.text import lowered, value_sum, values_in, word_sums, words_in
from detections.flow.vocabulary import AMBIGUOUS, NOUNS, READ, VERBS, VISIT

LONG_VALUE = 80
LONGEST_TEXT = 2_000
MOST_ARGUMENTS = 64
_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


class Value(NamedTuple):
    """An argument, or a value within a long one: in lower case, its checksum, and those of its words."""

    text: str
    sum: int
    words: frozenset[int]


class Call(NamedTuple):
    """A call of a tool.

    Attributes:
        doings: what its name says it does.
        words: checksums of the words of its name and arguments.
        name: those of its name.
        values: what it is called with.
    """

    doings: int
    words: frozenset[int]
    name: frozenset[int]
    values: tuple[Value, ...]


@lru_cache(maxsize=4096)
def tool_doings(name: str) -> tuple[int, frozenset[int]]:
    """What a tool's name says it does, and the checksums of its words.

    Its verbs say it, those that cannot be nouns before the others; nouns add to a verb that changes
    something, and say it alone where there is no verb. Reading a page is a visit.
    """
    words = [w.lower() for w in _NAME.findall(name)]
    nouns = 0
    for word in words:
        nouns |= NOUNS.get(word, 0)
    verbs = [w for w in words if w in VERBS]
    clear = [w for w in verbs if w not in AMBIGUOUS] or verbs[:1]
    doings = 0
    for word in clear:
        doings |= VERBS[word]
    if doings == READ:
        doings |= nouns & VISIT
    else:
        doings |= nouns
    return doings, frozenset(word_sums(words))


def call_of(tool: str, arguments: Any) -> Call:
    """Read a call; `arguments` is what JSON gave."""
    doings, name = tool_doings(tool)
    texts = []
    for text in _texts(arguments):
        texts.append(text[:LONGEST_TEXT])
        if len(texts) == MOST_ARGUMENTS:
            break
    values: dict[int, Value] = {}
    words: set[int] = set(name)
    for text in texts:
        lower = lowered(text)
        sums = word_sums(words_in(lower))
        words |= sums
        found = values_in(lower) if len(lower) > LONG_VALUE else [lower, *values_in(lower)]
        for value in found:
            if len(value) > 2:
                of = Value(value, value_sum(value), frozenset(word_sums(words_in(value))))
                values.setdefault(of.sum, of)
    return Call(doings, frozenset(words), name, tuple(values.values()))


def _texts(value: Any) -> Iterator[str]:
    """The texts and numbers in a JSON value, without recursion."""
    todo = [value]
    while todo:
        at = todo.pop()
        if isinstance(at, dict):
            todo.extend(reversed(at.values()))
        elif isinstance(at, list):
            todo.extend(reversed(at))
        elif isinstance(at, str):
            yield at
        elif isinstance(at, int | float) and not isinstance(at, bool):
            yield str(at)
