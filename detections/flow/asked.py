"""What a user asked for, as far as flow needs to know it."""

import re
from typing import NamedTuple

from detections.flow.text import lowered, value_sum, values_in, word_sums, words_in
from detections.flow.vocabulary import NOUNS, VERBS

_DELEGATES = re.compile(
    r"\b(?:(?:do|perform|complete|execute|carry out|handle|fulfil|fulfill|follow|process|address|implement)\b"
    r"(?: (?!following)[\w'-]+){0,5} (?:actions?|tasks?|steps?|requests?|instructions?|to-?dos?|items|things)"
    r"|accordingly|(?:as|what|whatever|everything|all)(?: [\w'-]+){0,4} (?:described|told|requested|"
    r"specified|listed|mentioned|says?|asks?|wants?|needs?)"
    r"|pay (?:the|this|that|my|our) (?:\w+ )?(?:bill|invoice))\b"
)


class Asked(NamedTuple):
    """The user's own words in a session.

    Attributes:
        doings: what was asked to be done.
        delegates: whether what to do is said to stand elsewhere.
        words, values: checksums of what the words name.
    """

    doings: int
    delegates: bool
    words: frozenset[int]
    values: frozenset[int]


def asked_in(prompt: str) -> Asked:
    """Read a prompt."""
    lower = lowered(prompt)
    words = words_in(lower)
    doings = 0
    for word in words:
        doings |= VERBS.get(word, 0) | NOUNS.get(word, 0)
    return Asked(
        doings,
        _DELEGATES.search(lower) is not None,
        frozenset(word_sums(words)),
        frozenset(map(value_sum, values_in(lower))),
    )
