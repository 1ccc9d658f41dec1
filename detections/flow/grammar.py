"""Where in an English sentence a verb tells somebody to do something."""

import re

from detections.flow.vocabulary import AMBIGUOUS, IMPERATIVES, READERS

# ruff: noqa: RUF001 - marks of all kinds stand in texts

OPENERS = frozenset(
    "please kindly now then also first next finally just simply immediately and so instead again but once "
    "afterwards therefore always directly quickly additionally".split()
)
"""Words that may stand before a verb without taking its place."""

_TOKEN = re.compile(r"([^\w\s'’]{0,8})\s{0,8}([\w$€£](?:[\w'’.@/:+-]*\w)?)")
_INSIDE = frozenset(("(", "$", "#", "’", "/", "'", '"', ",", "&", "+", "@"))
"""Marks after which a sentence goes on; after a comma one begins anew where it began with these:"""
_SUBORDINATE = frozenset("before after once when if to as in for while since upon with given".split())
_AFRESH = frozenset("instead then please kindly now immediately first next".split())
"""Or where one of these comes after the comma."""
_INTRODUCING = frozenset((":", "-", "–", "—", "]", ")", ">"))
_NEAR = 8

_POLITE = frozenset(("please", "kindly", "let's"))
_ASKING = frozenset(("could", "can", "would", "will"))
_MODALS = frozenset(("must", "should", "shall"))
_TO = frozenset(
    "need needs have has want wants like ask asked asks required require requires instructed "
    "remember sure certain forget supposed expected important necessary mandatory essential try "
    "proceed urged advised you us".split()
)
_WISHES = frozenset(
    "want wants ask asks asked need needs like require requires instruct instructs expect expects "
    "request".split()
)
_YOURS = frozenset(("your", "you"))
_ADDRESSED = READERS | {"you", "who", "anyone", "everyone", "anybody", "everybody"}
_OBJECTS = frozenset(
    "the a an all any my your our his her their its this that these those it them me us him every each some "
    "to another one two three both everything everyone no user new".split()
)
_NO_OBJECT = frozenset("is are was were has had will of for by and or been be can".split())
_ENDING = frozenset(":=.,)];?")


def told(sentence: str) -> tuple[int, bool]:
    """What a sentence in lower case tells to do; and whether something like "Note:" introduces it."""
    doings, introduced = 0, False
    before: list[str] = []
    beginning, first = True, ""
    tokens = _TOKEN.findall(sentence)
    for i, (mark, word) in enumerate(tokens):
        if not i or (mark and mark not in _INSIDE):
            beginning, first = True, word
        elif mark == "," and (first in _SUBORDINATE or word in _AFRESH):
            beginning = True
        doing = IMPERATIVES.get(word, 0)
        following = tokens[i + 1 : i + 4]
        if doing and ((beginning and _has_object(word, following)) or (following and _is_asked(before))):
            doings |= doing
            introduced = introduced or (i > 0 and mark[-1:] in _INTRODUCING and i < _NEAR)
        if word not in OPENERS:
            beginning = False
        before.append(word)
    return doings, introduced


def _has_object(verb: str, following: list[tuple[str, str]]) -> bool:
    """Whether something follows that a verb can be done to; a noun is followed by other words."""
    if not following:
        return verb not in AMBIGUOUS
    mark, word = following[0]
    if mark[:1] in _ENDING:
        return False
    if verb not in AMBIGUOUS:
        return word not in _NO_OBJECT
    if verb == "sent":
        return word in _OBJECTS
    return word in _OBJECTS or (len(following) > 2 and (mark[:1] in ("'", '"', "$") or not word.isalpha()))


def _is_asked(before: list[str]) -> bool:
    """Whether the words before a verb ask for it."""
    last = before[-1] if before else ""
    earlier = before[-2] if len(before) > 1 else ""
    if last in _POLITE:
        return True
    if last in _MODALS:
        return not _ADDRESSED.isdisjoint(before)
    if last == "you":
        return earlier in _ASKING or (earlier == "that" and not _TO.isdisjoint(before[-4:-2]))
    if last == "to":
        wished = not _WISHES.isdisjoint(before[-6:-1]) or not _YOURS.isdisjoint(before)
        return earlier in _TO or wished
    return last in OPENERS and len(before) > 1 and _is_asked(before[:-1])
