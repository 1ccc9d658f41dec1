"""From YAML texts to routes and receivers: all mistakes of all files together, each with its place."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from consumers.alert.document import AlertingDocument, AlertingMetadata, Inhibition, Match, Route, Times
from documents.node import Mistake, Node
from documents.read import read_documents
from documents.validating import mistake_at, validate
from documents.wording import Path, Wording
from runtime.errors import PraetorError
from sinks.receiver import Receiver, ReceiverDocument, ReceiverLimits, ReceiverMetadata
from sinks.receivers import RECEIVERS
from sinks.secret import Secret

_ALERTING = Wording(
    {
        ("metadata",): AlertingMetadata,
        ("times",): Times,
        ("routes",): Route,
        ("routes", "match"): Match,
        ("inhibit",): Inhibition,
        ("inhibit", "source"): Match,
        ("inhibit", "target"): Match,
    },
    tuple(AlertingDocument.model_fields),
)
_RECEIVER = Wording(
    {("metadata",): ReceiverMetadata, ("limits",): ReceiverLimits}, tuple(ReceiverDocument.model_fields)
)
_SECRETS: Mapping[Path, type[BaseModel]] = {
    (name,): Secret for name in ("url", "secret", "routing_key", "password", "headers")
}


@dataclass(frozen=True)
class Alerting:
    """The routes, and the receivers by name; `warnings` are no mistakes, but seldom meant."""

    document: AlertingDocument
    receivers: Mapping[str, Receiver]
    warnings: Sequence[str] = ()


class _Found:
    """What the files hold so far."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.receivers: dict[str, Receiver] = {}
        self.alerting: list[tuple[str, Node, AlertingDocument | None]] = []


def load_alerting(sources: Iterable[tuple[str, bytes]]) -> Alerting:
    """Read and validate files, given by name and bytes.

    Raises:
        PraetorError: something is wrong in any of them: every mistake, a line each.
    """
    found = _Found()
    for source, data in sources:
        documents, wrong = read_documents(source, data)
        found.mistakes += wrong
        for node in documents:
            _read(source, node, found)
    made = _one(found)
    if found.mistakes or made is None:
        raise PraetorError("\n".join(map(str, sorted(set(found.mistakes)))) or NONE)
    return Alerting(made, found.receivers, tuple(_warnings(made, found.receivers)))


NONE = (
    "there is no document of `kind: Alerting`: it says which events are told to whom (docs/alerts/README.md)"
)


def _read(source: str, node: Node, found: _Found) -> None:
    kind = node.value.get("kind") if isinstance(node.value, dict) else None
    if kind == "Receiver":
        _receiver(source, node, found)
    elif kind == "Alerting":
        made = validate(source, node, AlertingDocument, _ALERTING, found.mistakes)
        found.alerting.append((source, node, made))
    else:
        place = node.find(("kind",)) if isinstance(node.value, dict) else node
        told = "'kind' must be 'Alerting' (the routes) or 'Receiver'"
        found.mistakes.append(Mistake(source, place.line, place.column, told))


def _receiver(source: str, node: Node, found: _Found) -> None:
    document = validate(source, node, ReceiverDocument, _RECEIVER, found.mistakes)
    to = node.children.get("to")
    if to is None or not isinstance(to.value, dict):
        return  # told already
    kind = to.value.get("type")
    row = RECEIVERS.get(kind) if isinstance(kind, str) else None
    if row is None:
        hint = f"there are {', '.join(RECEIVERS)}"
        told = f"unknown type {kind!r}; {hint}" if "type" in to.value else f"missing key 'type'; {hint}"
        found.mistakes.append(mistake_at(source, to, ("type",), told))
        return
    wording = Wording(_SECRETS, tuple(row.settings.model_fields))
    settings = validate(source, to, row.settings, wording, found.mistakes)
    if document is None or settings is None:
        return
    made = Receiver(document, settings)
    if made.name in found.receivers:
        told = f"the name {made.name} is taken; choose another"
        found.mistakes.append(mistake_at(source, node, ("metadata", "name"), told))
    found.receivers[made.name] = made


def _one(found: _Found) -> AlertingDocument | None:
    """The document of routes, with what it names looked up."""
    for source, node, _ in found.alerting[1:]:
        told = "there is a document of `kind: Alerting` already; put all routes into one: their order counts"
        found.mistakes.append(mistake_at(source, node, ("kind",), told))
    if not found.alerting:
        return None
    source, node, document = found.alerting[0]
    if document is not None:
        wrong = (*_repeated(document), *_unknown(document, found.receivers))
        found.mistakes += [mistake_at(source, node, path, told) for path, told in wrong]
    return document


def _repeated(document: AlertingDocument) -> Iterator[tuple[Path, str]]:
    for part, names in (
        ("routes", [route.name for route in document.routes]),
        ("times", [times.name for times in document.times]),
    ):
        for place, name in enumerate(names):
            if name in names[:place]:
                yield (part, place, "name"), f"the name {name} is taken; choose another"


def _unknown(document: AlertingDocument, receivers: Mapping[str, Receiver]) -> Iterator[tuple[Path, str]]:
    times = [each.name for each in document.times]
    for place, route in enumerate(document.routes):
        for entry, name in enumerate(route.receivers):
            if name not in receivers:
                yield ("routes", place, "receivers", entry), _near("receiver", name, receivers)
        yield from _hours(("routes", place, "match"), route.match, times)
    for place, each in enumerate(document.inhibit):
        yield from _hours(("inhibit", place, "source"), each.source, times)
        yield from _hours(("inhibit", place, "target"), each.target, times)


def _hours(path: Path, match: Match, times: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for key, name in (("during", match.during), ("outside", match.outside)):
        if name is not None and name not in times:
            yield (*path, key), _near("entry of 'times'", name, times)


def _near(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names) or 'none'}"
    return f"there is no {what} {name!r}; {hint}"


def _warnings(document: AlertingDocument, receivers: Mapping[str, Receiver]) -> Iterator[str]:
    everything = [route for route in document.routes if route.match == Match() and not route.go_on]
    if not everything:
        yield "no route takes what the others leave: it is told to nobody; end with a route without `match`"
    elif (behind := document.routes[document.routes.index(everything[0]) + 1 :]) != []:
        names = ", ".join(route.name for route in behind)
        yield f"route {everything[0].name} takes everything: never reached are {names}"
    used = {name for route in document.routes for name in route.receivers}
    for name in sorted(receivers.keys() - used):
        yield f"receiver {name} is named by no route"
