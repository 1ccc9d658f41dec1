"""After ClickHouse was restored: the archive's intents are set back to what ClickHouse holds.

Kafka says what was archived, and a database restored from a backup holds less. Each topic's newest intent is
replaced by one that ends where ClickHouse ends, so that the archive inserts the rest again, each row once.
Nothing is written before all partitions are known to be recoverable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from consumers.cut import Source
from consumers.intents import Intent, commit_intents, newest_intents
from consumers.place import Place
from consumers.recovery import Log
from runtime.errors import PraetorError
from runtime.kafka import consumer_at, group_members, read_partition, started
from schemas.codec import decode
from schemas.topics import ARCHIVE, topic_name
from sinks.held import Span

PROBE_BYTES = 64 << 10


@dataclass(frozen=True)
class Held:
    """What ClickHouse holds, by source: asked when needed."""

    end: Callable[[Source], int | None]
    newest: Callable[[Source], Span | None]


@dataclass(frozen=True)
class Rewound:
    """Where the archive goes on in a topic's partition, and whether that is elsewhere than before.

    `lost` says in words what neither ClickHouse nor Kafka holds any more; "" where that is nothing.
    """

    topic: str
    partition: int
    offset: int
    intent: Intent | None
    lost: str = ""


async def plan(log: Log, held: Held, place: Place) -> list[Rewound]:
    """Find out for each topic of a partition where the archive must go on.

    Raises:
        PraetorError: ClickHouse's decisions have holes, or some are in neither place.
    """
    tp = TopicPartition(topic_name(ARCHIVE, place.prefix), place.partition)
    sources = {source.topic: source for source in place.sources()}
    intents = await newest_intents(log.options, log.ends, tp, place.log_id, sources)
    return [
        await (_numbered if source.table.numbered else _unnumbered)(log, held, source, intents.get(topic))
        for topic, source in sources.items()
    ]


async def apply(log: Log, place: Place, planned: Sequence[Rewound]) -> None:
    """Commit the new intents of a partition; whoever archives it is fenced off.

    Raises:
        PraetorError: an archive took the partition over meanwhile.
    """
    intents = [one.intent for one in planned if one.intent is not None]
    if not intents:
        return
    producer = AIOKafkaProducer(**log.options, transactional_id=place.transactional_id)
    await started(producer, log.options)
    try:
        await commit_intents(producer, topic_name(ARCHIVE, place.prefix), intents)
    except KafkaError as error:
        raise PraetorError(f"partition {place.partition}: {error!r}; stop the archives and repeat") from error
    finally:
        await producer.stop()


async def need_idle(log: Log, group: str) -> None:
    """Check that no archive runs.

    Raises:
        PraetorError: the group has members, or we may not see them.
    """
    members = await group_members(log.options, group)
    if members:
        raise PraetorError(
            f"`praetor archive` is running ({members} in group {group}): stop every one first. One that was"
            " killed is forgotten by the broker within a minute. `praetor up --archives 0` starts without"
        )


async def _numbered(log: Log, held: Held, source: Source, old: Intent | None) -> Rewound:
    tp = TopicPartition(source.topic, source.partition)
    end = held.end(source)
    if end is None:
        raise PraetorError(
            f"ClickHouse's decisions of {source.place} have holes or are there twice: restore again, with"
            " no archive running. `praetor ledger verify --from clickhouse` says which"
        )
    if old is not None and old.done and old.last_seq == end - 1:
        return Rewound(source.topic, source.partition, old.last_offset + 1, None)
    begin, stable = await log.ends.beginning(tp), await log.ends.stable_end(tp)
    async with consumer_at(log.options, tp, begin, max_partition_fetch_bytes=PROBE_BYTES) as consumer:
        at, seq = await _find(consumer, tp, (begin, stable), end)
    known = old.last_seq if old is not None else -1
    until = known if seq is None else seq - 1
    if until >= end:
        raise PraetorError(
            f"decisions {end} to {until} of {source.place} are neither in ClickHouse nor in Kafka any more: a"
            " newer backup is needed. To go on without them, archive into a new database "
            "(PRAETOR_CLICKHOUSE_DATABASE)"
        )
    if old is None and end == 0:
        return Rewound(source.topic, source.partition, begin, None)
    intent = _intent(source, (at - 1, at - 1), end - 1, min(end, 1))
    return Rewound(source.topic, source.partition, at, intent)


async def _find(
    consumer: AIOKafkaConsumer, tp: TopicPartition, within: tuple[int, int], wanted: int
) -> tuple[int, int | None]:
    """The first offset from which on all decisions have at least this number, and the first's; by halves."""
    low, high = within
    while low < high:
        middle = (low + high) // 2
        seq = await _seq_at(consumer, tp, middle, within[1])
        if seq is None or seq >= wanted:
            high = middle
        else:
            low = middle + 1
    return low, await _seq_at(consumer, tp, low, within[1])


async def _seq_at(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int, end: int) -> int | None:
    """The number of the first decision at this offset or after it; None where there is none."""
    consumer.seek(tp, offset)
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=100, max_records=1)).values():
            return int(decode(records[0].value, "decision")["seq"])
    return None


async def _unnumbered(log: Log, held: Held, source: Source, old: Intent | None) -> Rewound:
    tp = TopicPartition(source.topic, source.partition)
    span = held.newest(source)
    begin = await log.ends.beginning(tp)
    if span is None and old is None:
        return Rewound(source.topic, source.partition, begin, None)
    if span is not None and old is not None and old.first_offset == span.first:
        return Rewound(source.topic, source.partition, old.last_offset + 1, None)
    if span is not None and begin <= span.first:
        # the archive itself completes what is missing of it
        rows = 0
        async for records in read_partition(log.options, tp, span.first, span.last + 1):
            rows += len(records)
        intent = _intent(source, (span.first, span.last), -1, rows, done=False)
        return Rewound(source.topic, source.partition, span.first, intent)
    last = span.last if span is not None else -1
    lost = ""
    if begin > last + 1:
        lost = f"{source.place}: records before offset {begin} are gone from Kafka, and ClickHouse holds "
        lost += "none" if span is None else f"those up to offset {last} only"
    position = max(begin, last + 1)
    intent = _intent(source, (position - 1, position - 1), -1, 0)
    return Rewound(source.topic, source.partition, position, intent, lost)


def _intent(source: Source, offsets: tuple[int, int], seq: int, rows: int, done: bool = True) -> Intent:
    return Intent(
        log_id=source.log_id,
        topic=source.topic,
        partition=source.partition,
        done=done,
        first_offset=offsets[0],
        last_offset=offsets[1],
        first_seq=seq,
        last_seq=seq,
        rows=rows,
    )
