"""How an event becomes what a destination is sent: one table of formats, and what never leaves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sinks.formats import cef, ecs, leef, ocsf, ocsf_agents, plain
from sinks.sink import Event

TEXTS = ("arguments", "content", "modified_arguments")
NEVER = ("salt",)
"""With the salt, a short text could be guessed from its digest."""


class Format(NamedTuple):
    """A format's two forms: a JSON object, and one line of text without its end."""

    document: Callable[[Event], dict[str, Any]]
    line: Callable[[Event], bytes]


FORMATS: dict[str, Format] = {
    "cef": Format(cef.document, cef.line),
    "ecs": Format(ecs.document, ecs.line),
    "leef": Format(leef.document, leef.line),
    "ocsf": Format(ocsf.document, ocsf.line),
    "plain": Format(plain.document, plain.line),
}
OCSF: dict[str, Format] = {
    "1.8.0": FORMATS["ocsf"],
    "1.9.0": Format(ocsf_agents.document, ocsf_agents.line),
}
"""OCSF by its version."""


@dataclass(frozen=True)
class Encoding:
    """One destination's: its format, and which free texts may leave.

    Attributes:
        format: one of `FORMATS`.
        texts: fields of free text that are sent; the others are left out, their digests stay.
        name: what the format is called in settings.
    """

    format: Format
    texts: frozenset[str] = frozenset()
    name: str = ""

    def document(self, event: Event) -> dict[str, Any]:
        """The event as a JSON object."""
        return self.format.document(self._without_texts(event))

    def line(self, event: Event) -> bytes:
        """The event as one line, without its end."""
        return self.format.line(self._without_texts(event))

    def _without_texts(self, event: Event) -> Event:
        record = event.record
        gone = {name: None for name in (*TEXTS, *NEVER) if name in record and name not in self.texts}
        return replace(event, record={**record, **gone}) if gone else event
