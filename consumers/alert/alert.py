"""alert: groups incidents and threats, and tells receivers, each at its own pace."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from consumers.alert.document import AlertingDocument
from consumers.alert.grouper import Grouper
from consumers.alert.rules import Rules
from consumers.alert.settling import Settling
from consumers.delivery.choice import Choice
from consumers.delivery.delivery import Delivery
from consumers.delivery.patience import Patience
from consumers.delivery.route import Route
from consumers.log_id import read_log_id
from runtime.health import Health
from runtime.insist import insist
from runtime.kafka import Ends, Options, check_access
from runtime.ownership import Ownership
from runtime.work import Group
from schemas.access import topic_needs
from schemas.topics import ALERTS, NOTIFICATIONS, topic_name
from sinks.receiver import Receiver
from sinks.sink import Sink
from store.store import Store


@dataclass(frozen=True)
class Target:
    """A receiver as it was configured, and its sink."""

    receiver: Receiver
    sink: Sink


@dataclass(frozen=True)
class Job:
    """What to tell, to whom; the log is read from agent.control if it is not given."""

    document: AlertingDocument
    targets: Mapping[str, Target]
    prefix: str = ""
    log_id: str = ""


class Alert:
    """Groups and tells until `stop` is set.

    Of several processes one groups, and another takes over when it dies; each receiver is told by one.
    """

    def __init__(self, options: Options, job: Job, store: Store, health: Health | None = None) -> None:
        """Take where Kafka is, what to do, and where silences stand."""
        self.stop = asyncio.Event()
        self._options = options
        self._job = job
        self._rules = Rules(job.document)
        self._settling = Settling(store)
        self._store = store
        self._health = health or Health()
        self._health.check("silences", self._settling.check)
        self._ends = Ends(options)
        self._log_id = job.log_id

    async def run(self) -> None:
        """Wait for the broker, group and tell, leave.

        Raises:
            PraetorError: a grant or a topic is missing, or there is no log.
        """
        try:
            if not await insist(self._open, "start alerting", self.stop):
                return
            # before anything is told: what is silent must be known
            await self._settling.read()
            await self._work()
        finally:
            await self._ends.stop()
            await asyncio.to_thread(self._store.close)

    async def _work(self) -> None:
        """Group and tell; where one cannot, the others leave in good order before it is raised."""
        doing = (self._group(), *(self._tell(target) for target in self._job.targets.values()))
        tasks = [asyncio.ensure_future(each) for each in doing]
        try:
            await asyncio.gather(*tasks)
        finally:
            self.stop.set()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self) -> bool:
        await self._ends.stop()  # what an attempt before has left
        await check_access(self._options, topic_needs("alert", self._job.prefix))
        await self._ends.start()
        self._log_id = self._log_id or await read_log_id(self._options, self._ends)
        return True

    async def _group(self) -> None:
        name = f"{self._job.prefix}praetor-alert-{self._log_id}"
        topic = topic_name(ALERTS, self._job.prefix)
        group = Group(name, topic, self._begin, lambda held: None, patient=True)
        await Ownership(self._options, group, self._health).run(self.stop, self._settling.follow())

    def _begin(self, _partition: int) -> Grouper:
        place = (self._log_id, self._job.prefix)
        return Grouper(self._options, self._ends, place, self._rules, self._settling.now)

    async def _tell(self, target: Target) -> None:
        route = route_of(target.receiver, self._job.prefix)
        delivery = Delivery(self._options, self._ends, self._log_id, self._job.prefix, route, target.sink)
        name = f"receiver {target.receiver.name}"
        self._health.check(name, delivery.check)
        self._health.watches[name] = delivery.watch
        await delivery.run(self.stop)


def delivery_name(receiver: str) -> str:
    """What a receiver is called among destinations: no destination's name has a slash."""
    return f"alert/{receiver}"


def route_of(receiver: Receiver, prefix: str) -> Route:
    """What delivering needs of a receiver's settings: one notification a write, from the first on."""
    limits = receiver.document.limits
    return Route(
        name=delivery_name(receiver.name),
        topics=(topic_name(NOTIFICATIONS, prefix),),
        choice=Choice(receiver=receiver.name),
        start="earliest",
        most=1,
        per_second=limits.per_minute / 60,
        patience=Patience(tries=limits.tries),
    )
