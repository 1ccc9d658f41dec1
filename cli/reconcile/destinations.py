"""Reconciles destinations: what Kafka has for them, what receipts say they had, what their files hold."""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from aiokafka import TopicPartition

from cli.destination_files import read_destinations
from cli.ledger.sources import Log
from cli.reconcile.held import HeldFiles
from cli.reconcile.holes import Delivered, Found, Hole, Kind
from cli.reconcile.kafka import Kafka
from cli.reconcile.receipts import Receipts, compare, runs
from consumers.delivery.events import event_of
from consumers.delivery.feed import group_of
from consumers.delivery.route import Route
from consumers.forward import TOPICS, route_of
from runtime.settings import Settings
from schemas.codec import decode
from schemas.topics import DELIVERIES, UNDELIVERED, Topic, topic_name
from sinks.destination import Destination
from sinks.file import FileSettings
from sinks.sink import Event


class _One:
    """One destination, and where it stood when it was looked at."""

    def __init__(self, destination: Destination, kafka: Kafka, settings: Settings, log_id: str) -> None:
        self.route: Route = route_of(destination, settings.topic_prefix)
        self.name = destination.name
        self.told = Delivered(self.name, destination.document.to["type"])
        # first: what it passes later may have no receipt yet
        self.stands = kafka.committed(group_of(self.name, log_id, settings.topic_prefix))
        self.held = HeldFiles(destination) if isinstance(destination.to, FileSettings) else None
        if self.held:
            self.told.looked_up = 0


def reconcile_destinations(kafka: Kafka, settings: Settings, logs: list[Log], found: Found) -> None:
    """Compare all that PRAETOR_DESTINATIONS names.

    Raises:
        PraetorError, Unavailable: a place cannot be read.
    """
    log_id = logs[0].log_id
    kafka.need(*TOPICS.values(), DELIVERIES, UNDELIVERED)
    each = [_One(d, kafka, settings, log_id) for d in read_destinations(settings)]
    for log in logs:
        receipts, refused = _receipts(kafka, log), _refused(kafka, log)
        for topic in TOPICS.values():
            tp = TopicPartition(topic_name(topic, settings.topic_prefix), log.partition)
            fed = [one for one in each if tp in one.stands and tp.topic in one.route.topics]
            if fed:
                _partition(kafka, log, (topic, tp), fed, (receipts, refused, found))
    found.delivered += [one.told for one in each]
    for one in each:
        if one.held and not one.held.complete:
            found.remarks.append(
                f"{one.name}: rotation may have removed files: what is missing at their beginning is not told"
            )


Told = dict[tuple[str, TopicPartition], Receipts]
Known = tuple[Told, set[tuple[str, str]], Found]


def _receipts(kafka: Kafka, log: Log) -> Told:
    """All receipts of a partition, by destination and place."""
    told: Told = {}
    for record in kafka.records(DELIVERIES, log, kafka.bounds(DELIVERIES, log)):
        receipt = decode(record.value, "delivery")
        tp = TopicPartition(receipt["topic"], receipt["partition"])
        told.setdefault((receipt["destination"], tp), Receipts(tp)).take(receipt)
    return told


def _refused(kafka: Kafka, log: Log) -> set[tuple[str, str]]:
    """Destination and id of all that is kept aside."""
    kept: dict[tuple[str, str], bool] = {}
    for record in kafka.records(UNDELIVERED, log, kafka.bounds(UNDELIVERED, log)):
        mark = decode(record.value, "undelivered")
        kept[mark["destination"], mark["id"]] = mark["state"] == "kept"
    return {key for key, is_kept in kept.items() if is_kept}


def _partition(
    kafka: Kafka, log: Log, of: tuple[Topic, TopicPartition], fed: list[_One], known: Known
) -> None:
    topic, tp = of
    told, refused, found = known
    begin, end = kafka.bounds(topic, log)
    offsets = array("q")
    wanted: dict[str, list[Event]] = defaultdict(list)
    for record in kafka.records(topic, log, (begin, end)):
        offsets.append(record.offset)
        if any(one.held for one in fed):
            _look(event_of(record), fed, wanted)
    for one in fed:
        receipts = told.get((one.name, tp), Receipts(tp))
        first = receipts.first
        start = max(begin, one.stands[tp] if first is None else first)
        compare(receipts, offsets, (start, one.stands[tp]), found, one.told)
        one.told.waiting += len(offsets) - bisect_left(offsets, one.stands[tp])
        if one.held:
            between = [e for e in wanted[one.name] if start <= e.offset < one.stands[tp]]
            for span in runs(offsets, _missing(one, between, refused)):
                found.add(Hole(Kind.destination, tp.partition, *span, None, one.name, tp.topic))


def _look(event: Event, fed: list[_One], wanted: dict[str, list[Event]]) -> None:
    """Keep an event's id for those files that are to hold it; not its record."""
    bare = Event(event.kind, event.id, None, event.topic, event.partition, event.offset, {})
    for one in fed:
        if one.held and one.route.choice.wants(event):
            wanted[one.name].append(bare)


def _missing(one: _One, between: list[Event], refused: set[tuple[str, str]]) -> Iterator[int]:
    held = one.held
    if held is None:
        return
    there = [event.id in held.ids for event in between]
    # what rotation has removed is the oldest
    start = 0 if held.complete or True not in there else there.index(True)
    one.told.looked_up = (one.told.looked_up or 0) + len(between) - start
    for event, is_there in zip(between[start:], there[start:], strict=True):
        if not is_there and (one.name, event.id) not in refused:
            yield event.offset
