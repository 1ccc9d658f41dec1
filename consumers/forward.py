"""forward: decisions, threats and incidents to the destinations that were configured, each by itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from consumers.delivery.choice import Choice
from consumers.delivery.delivery import Delivery
from consumers.delivery.patience import Patience
from consumers.delivery.route import Route
from consumers.log_id import read_log_id
from runtime.health import Health
from runtime.insist import insist
from runtime.kafka import Ends, Options, check_access
from schemas.access import topic_needs
from schemas.topics import DECISIONS, INCIDENTS, THREATS, topic_name
from schemas.verdict import Severity
from sinks.destination import Destination
from sinks.sink import Sink

log = structlog.get_logger()

TOPICS = {"decision": DECISIONS, "threat": THREATS, "incident": INCIDENTS}


@dataclass(frozen=True)
class Target:
    """A destination as it was configured, and its sink."""

    destination: Destination
    sink: Sink


class Forward:
    """Delivers until `stop` is set. Several processes with the same destinations share the partitions."""

    def __init__(
        self,
        options: Options,
        targets: Sequence[Target],
        health: Health | None = None,
        prefix: str = "",
        log_id: str = "",
    ) -> None:
        """Take where to go; the log is read from agent.control if it is not given."""
        self.stop = asyncio.Event()
        self._options = options
        self._prefix = prefix
        self._targets = targets
        self._health = health or Health()
        self._ends = Ends(options)
        self._log_id = log_id

    async def run(self) -> None:
        """Wait for the broker, deliver, leave.

        Raises:
            PraetorError: a grant is missing, or there is no log.
        """
        try:
            if not await insist(self._open, "start delivering", self.stop):
                return
            await asyncio.gather(*(self._deliver(target) for target in self._targets))
        finally:
            await self._ends.stop()

    async def _open(self) -> bool:
        await self._ends.stop()  # what an attempt before has left
        await check_access(self._options, topic_needs("forward", self._prefix))
        await self._ends.start()
        self._log_id = self._log_id or await read_log_id(self._options, self._ends)
        return True

    async def _deliver(self, target: Target) -> None:
        route = route_of(target.destination, self._prefix)
        delivery = Delivery(self._options, self._ends, self._log_id, self._prefix, route, target.sink)
        self._health.check(f"destination {route.name}", delivery.check)
        self._health.watches[f"destination {route.name}"] = delivery.watch
        await delivery.run(self.stop)


def route_of(destination: Destination, prefix: str) -> Route:
    """What delivering needs of a destination's settings."""
    feed, limits = destination.document.feed, destination.document.limits
    return Route(
        name=destination.name,
        topics=tuple(topic_name(TOPICS[kind], prefix) for kind in feed.kinds),
        choice=Choice(
            severity=Severity[feed.severity or "unknown"],
            effects=frozenset(feed.effects or ()),
            tenants=frozenset(feed.tenants or ()),
            tags=frozenset(feed.tags or ()),
        ),
        start=feed.start,
        most=limits.batch,
        gather_seconds=limits.gather_seconds,
        per_second=limits.events_per_second,
        patience=Patience(tries=limits.tries),
    )
