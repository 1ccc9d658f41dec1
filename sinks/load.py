"""From YAML texts to destinations: all mistakes of all files together, each with its place and what to do."""

import difflib
from collections.abc import Iterable

from documents.node import Mistake, Node
from documents.read import read_documents
from documents.validating import mistake_at, validate
from documents.wording import Parts, Wording
from runtime.errors import PraetorError
from sinks.destination import (
    Destination,
    DestinationDocument,
    DestinationMetadata,
    FeedSettings,
    LimitSettings,
)
from sinks.registry import SINKS
from sinks.secret import Secret

_WORDING = Wording(
    {("metadata",): DestinationMetadata, ("feed",): FeedSettings, ("limits",): LimitSettings},
    tuple(DestinationDocument.model_fields),
)
SECRET_NAMES = (
    "token",
    "secret",
    "api_key",
    "password",
    "headers",
    "access_key",
    "secret_key",
    "session_token",
    "client_secret",
    "service_account",
)
_SECRETS: Parts = {(name,): Secret for name in SECRET_NAMES}


def load_destinations(sources: Iterable[tuple[str, bytes]]) -> list[Destination]:
    """Read and validate files, given by name and bytes.

    Raises:
        PraetorError: something is wrong in any of them: every mistake, a line each.
    """
    mistakes: list[Mistake] = []
    found: dict[str, Destination] = {}
    for source, data in sources:
        documents, wrong = read_documents(source, data)
        mistakes += wrong
        for node in documents:
            made = _read(source, node, mistakes)
            if made is not None and made.name in found:
                told = f"the name {made.name} is taken; choose another"
                mistakes.append(mistake_at(source, node, ("metadata", "name"), told))
            elif made is not None:
                found[made.name] = made
    if mistakes:
        raise PraetorError("\n".join(map(str, sorted(set(mistakes)))))
    return list(found.values())


def _read(source: str, node: Node, mistakes: list[Mistake]) -> Destination | None:
    if not isinstance(node.value, dict):
        mistakes.append(Mistake(source, node.line, node.column, "a destination begins with 'apiVersion:'"))
        return None
    document = validate(source, node, DestinationDocument, _WORDING, mistakes)
    to = node.children.get("to")
    kind = to.value.get("type") if to is not None and isinstance(to.value, dict) else None
    if to is None or not isinstance(to.value, dict):
        return None  # told already
    row = SINKS.get(kind) if isinstance(kind, str) else None
    if row is None:
        near = difflib.get_close_matches(str(kind), SINKS, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(SINKS)}"
        told = f"unknown type {kind!r}; {hint}" if "type" in to.value else f"missing key 'type'; {hint}"
        mistakes.append(mistake_at(source, to, ("type",), told))
        return None
    wording = Wording(_SECRETS, tuple(row.settings.model_fields))
    settings = validate(source, to, row.settings, wording, mistakes)
    return Destination(document, settings) if document is not None and settings is not None else None
