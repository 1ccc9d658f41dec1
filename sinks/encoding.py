"""How an event becomes what a destination is sent: one table of formats."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sinks.formats import plain
from sinks.sink import Event

Document = Callable[[Event], dict[str, Any]]
Line = Callable[[Event], bytes]

DOCUMENTS: dict[str, Document] = {"plain": plain.document}
"""Formats that are JSON objects."""
LINES: dict[str, Line] = {"plain": plain.line}
"""Formats that are one line of text, without its end."""

TEXTS = ("arguments", "content", "modified_arguments")
ALWAYS_LEFT_OUT = ("salt",)


def without_texts(event: Event, kept: frozenset[str]) -> Event:
    """The event without free text, but for the fields named in `kept`; their digests stay.

    The salt never leaves: with it, a short text can be guessed from its digest.
    """
    gone = {name: None for name in (*TEXTS, *ALWAYS_LEFT_OUT) if name in event.record and name not in kept}
    return replace(event, record={**event.record, **gone}) if gone else event
