"""The routes as they are in force: compiled, and asked who is told of a signal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consumers.alert.document import AlertingDocument, Inhibition, Route
from consumers.alert.match import Hours, Labelled, Matcher


class Placement(NamedTuple):
    """A route that takes a signal, and whom it tells: receivers that no route before has told."""

    route: Route
    receivers: tuple[str, ...]


@dataclass(frozen=True)
class Inhibitor:
    """An inhibition, compiled."""

    source: Matcher
    target: Matcher
    same: tuple[str, ...]


class Rules:
    """What a document of `kind: Alerting` says. It has no state."""

    def __init__(self, document: AlertingDocument) -> None:
        """Take a checked document."""
        hours = {times.name: Hours.of(times) for times in document.times}
        self.routes: Mapping[str, Route] = {route.name: route for route in document.routes}
        self._matchers = [(route, Matcher(route.match, hours)) for route in document.routes]
        self.inhibitors = [_inhibitor(each, hours) for each in document.inhibit]

    def place(self, what: Labelled, now: int) -> Sequence[Placement]:
        """Who is told of it, in the routes' order; nobody where no route fits."""
        found: list[Placement] = []
        told: set[str] = set()
        for route, matcher in self._matchers:
            if not matcher.fits(what, now):
                continue
            receivers = tuple(r for r in route.receivers if r not in told)
            told.update(receivers)
            if receivers or not route.receivers:
                found.append(Placement(route, receivers))
            if not route.go_on:
                break
        return found


def _inhibitor(inhibition: Inhibition, hours: Mapping[str, Hours]) -> Inhibitor:
    return Inhibitor(
        Matcher(inhibition.source, hours), Matcher(inhibition.target, hours), tuple(inhibition.same)
    )
