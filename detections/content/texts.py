"""The texts of an action that content detectors look at, how far they look, and how places are shown."""

from collections.abc import Iterator
from typing import NamedTuple

from detections.finding import short
from schemas.action import Action
from schemas.verdict import Span

LOOKED_AT = 262_144
"""Characters of one field that are looked at; what is longer is said to be cut."""
MOST_SPANS = 8
"""Places that a finding shows."""


class Text(NamedTuple):
    """A field's name and what of it is looked at."""

    field: str
    text: str


class Hit(NamedTuple):
    """Something in a text: what it is, where it is, and what of it may be shown."""

    what: str
    field: str
    start: int
    end: int
    shown: str


def texts_of(action: Action) -> Iterator[Text]:
    """Resource, arguments and content, where there are any."""
    if action.resource:
        yield Text("resource", action.resource[:LOOKED_AT])
    if action.arguments:
        yield Text("arguments", action.arguments[:LOOKED_AT])
    if action.content:
        yield Text("content", action.content[:LOOKED_AT])


def cut(action: Action) -> tuple[str, ...]:
    """In words, what `texts_of` leaves out."""
    return tuple(
        f"only {LOOKED_AT} of the {len(text)} characters of {field} were looked at"
        for field, text in (("arguments", action.arguments), ("content", action.content))
        if text is not None and len(text) > LOOKED_AT
    )


def spans(action: Action, hits: list[Hit]) -> tuple[Span, ...]:
    """The first of some places, as findings show them."""
    return tuple(Span(action.event_id, h.field, h.start, h.end, short(h.shown)) for h in hits[:MOST_SPANS])


def counted(hits: list[Hit]) -> str:
    """How many of each there are, in words: "2 GitHub tokens" is written as "GitHub token (2)"."""
    whats = [hit.what for hit in hits]
    return ", ".join(f"{what} ({whats.count(what)})" for what in dict.fromkeys(whats))
