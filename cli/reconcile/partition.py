"""Reconciles one partition: first how far everything is, then everything before that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from cli.ledger.sources import Log
from cli.reconcile.clickhouse import Rows
from cli.reconcile.holes import Found, Kind, Totals
from cli.reconcile.kafka import Kafka, Numbering
from cli.reconcile.numbers import Producers
from cli.reconcile.offsets import Bounds, Comparison, Entry, in_order
from consumers.intents import Intent
from schemas.topics import ACTIONS, DEAD_LETTERS, DECISIONS
from streams.progress import Progress

Advance = Callable[[int], None]
STEP = 1000
CLOCKS_MS = 3_600_000
READ = (DECISIONS, DEAD_LETTERS, ACTIONS)


@dataclass
class Scope:
    """What is looked at, and where it goes.

    Attributes:
        since_ms: what was received from then on; None: everything that is kept.
        wanted: tenant, agent_id and producer_id, those that were given.
        found: takes what is found.
    """

    since_ms: int | None
    wanted: dict[str, str]
    found: Found


@dataclass
class Extent:
    """How far everything was when it was looked at, and what is read of the topics.

    Attributes:
        progress: how far the partition was judged.
        archived: of each topic's name, how far the archive had inserted.
        begin: of each topic (by its plain name), the first offset that Kafka still has.
        spans: of each topic, first and end of what is read.
        start: the first action's offset that is looked at.
        expired: decisions before this seq may be older than ClickHouse keeps them.
    """

    progress: Progress
    archived: dict[str, Intent]
    begin: dict[str, int]
    spans: dict[str, tuple[int, int]]
    start: int
    expired: int


def reconcile_partition(kafka: Kafka, rows: Rows, log: Log, scope: Scope, advance: Advance) -> None:
    """Compare everything of one partition.

    Raises:
        PraetorError, Unavailable: a place cannot be read.
    """
    extent = _look(kafka, rows, log, scope)
    whole = scope.since_ms is None and not extent.expired
    producers, totals = Producers(), Totals(log.partition)
    numbers = Numbering(log, len(kafka.logs), scope.wanted, producers)
    bounds = Bounds(log.partition, extent.progress.next_source_offset, extent.progress.next_seq)
    bounds.actions = extent.spans[ACTIONS.name][0]
    bounds.known_seq = extent.expired if scope.since_ms is None else None
    streams = [
        _counted(kafka.actions(log, extent.spans[ACTIONS.name], numbers), advance),
        *_from_kafka(kafka, log, extent, numbers, bounds),
        *_from_clickhouse(rows, log, extent),
    ]
    kinds = (Kind.doubled_kafka,) * 3 + (Kind.doubled_clickhouse,) * 2
    ordered = [in_order(s, log.partition, kind, scope.found) for s, kind in zip(streams, kinds, strict=True)]
    Comparison(bounds, scope.found, totals).compare(ordered)
    rows.tell(log, producers)
    producers.conclude(log.partition, whole, scope.found)
    totals.epochs = len(producers.epochs)
    scope.found.totals.append(totals)
    _remark(scope, log, extent)


def _look(kafka: Kafka, rows: Rows, log: Log, scope: Scope) -> Extent:
    """Whoever is behind is asked first: the archive, then govern, then where the topics end.

    So what is on its way never looks like a hole.
    """
    archived, progress = kafka.intents(log), kafka.progress(log)
    spans = {topic.name: kafka.bounds(topic, log) for topic in READ}
    begin = {name: span[0] for name, span in spans.items()}
    start = 0
    if (since := scope.since_ms) is not None:
        # a decision comes after its action, but its time is another clock's
        early = {t.name: since - CLOCKS_MS * (t is not ACTIONS) for t in READ}
        spans = {t.name: kafka.since(t, log, spans[t.name], early[t.name]) for t in READ}
        first = rows.first_offset(log)
        start = min(spans[ACTIONS.name][0], spans[ACTIONS.name][0] if first is None else first)
    return Extent(progress, archived, begin, spans, start, rows.expired(log))


def _from_kafka(
    kafka: Kafka, log: Log, extent: Extent, numbers: Numbering, bounds: Bounds
) -> tuple[Iterator[Entry], Iterator[Entry]]:
    seq = _archived(extent.archived.get(kafka.name(DECISIONS)), "seq")
    offset = _archived(extent.archived.get(kafka.name(DEAD_LETTERS)), "offset")
    decisions = kafka.decisions(log, extent.spans[DECISIONS.name], seq, numbers)
    letters = kafka.letters(log, extent.spans[DEAD_LETTERS.name], offset)
    bounds.decisions, decisions = _first(decisions, extent.begin[DECISIONS.name], extent.start)
    bounds.letters, letters = _first(letters, extent.begin[DEAD_LETTERS.name], extent.start)
    return _from(extent.start, decisions), _from(extent.start, letters)


def _from_clickhouse(rows: Rows, log: Log, extent: Extent) -> tuple[Iterator[Entry], Iterator[Entry]]:
    return (
        rows.decisions(log, extent.start, extent.progress.next_seq),
        rows.letters(log, extent.start, extent.progress.next_source_offset),
    )


def _archived(intent: Intent | None, of: str) -> int:
    """The last seq or offset whose row must be in ClickHouse; -1: none."""
    if intent is None:
        return -1
    if of == "seq":
        return intent.last_seq if intent.done else intent.first_seq - 1
    return intent.last_offset if intent.done else intent.first_offset - 1


def _first(entries: Iterator[Entry], begin: int, start: int) -> tuple[int, Iterator[Entry]]:
    """From which action's offset on a topic holds everything, and its entries again."""
    if not begin:
        return start, entries
    first = next(entries, None)
    if first is None:
        return 1 << 63, entries
    return max(first[0], start), chain([first], entries)


def _from(start: int, entries: Iterator[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry[0] >= start)


def _counted(entries: Iterator[Entry], advance: Advance) -> Iterator[Entry]:
    for count, entry in enumerate(entries, 1):
        if count % STEP == 0:
            advance(STEP)
        yield entry


def _remark(scope: Scope, log: Log, extent: Extent) -> None:
    gone = extent.begin[ACTIONS.name]
    if gone > extent.start:
        scope.found.remarks.append(
            f"partition {log.partition}: actions before offset {gone} are no longer in Kafka (retention)."
            " Their decisions and dead letters answer for them; where Kafka lacks these, ClickHouse alone"
        )
    if extent.expired:
        scope.found.remarks.append(
            f"partition {log.partition}: decisions before seq {extent.expired} may be older than ClickHouse"
            " keeps them, so what is missing at the beginning of an epoch is not told"
        )
