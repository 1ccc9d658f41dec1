"""Taking over a partition: fence whoever had it, then read what it left (the order of the steps matters)."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.errors import PraetorError
from runtime.kafka import FETCH_BYTES, Ends, Options, read_partition, start_consumer, started
from schemas.topics import (
    ACTIONS,
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    FOLDS,
    SNAPSHOTS,
    STATE,
    THREATS,
    topic_name,
)
from streams.cells import Cells, add_state_record
from streams.control_view import ControlView
from streams.partition import Partition, Place
from streams.progress import PROGRESS_KEY, read_progress

TAIL_RECORDS = 2_000
TRANSACTION_TIMEOUT_MS = 15_000
MAX_BATCH_BYTES = 4 << 20


@dataclass(frozen=True)
class Source:
    """Where a worker reads and writes: how to reach the broker, the prefix of its outputs."""

    options: Options
    ends: Ends
    prefix: str = ""


def transactional_id(prefix: str, place: Place) -> str:
    """One for each partition of each log, so that a new owner's init fences the old one."""
    return f"{prefix}praetor-govern-{place.log_id}-{place.partition}"


async def fence(source: Source, place: Place) -> AIOKafkaProducer:
    """Start the partition's transactional producer: fences an old owner, waits for the end of what it began.

    The caller's place in the group must just have been confirmed by a commit under its generation.
    """
    producer = AIOKafkaProducer(
        **source.options,
        transactional_id=transactional_id(source.prefix, place),
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        max_batch_size=MAX_BATCH_BYTES,
        max_request_size=4 * MAX_BATCH_BYTES,
        # longer than Writer waits for a whole transaction
        request_timeout_ms=10_000,
    )
    return await started(producer, source.options)


async def read_state(source: Source, place: Place, warm: Partition | None) -> Partition:
    """Read the partition's progress, and its cells unless `warm` already stands at exactly that progress.

    Raises:
        PraetorError: no progress record, a corrupt one, or one of another log or engine.
    """
    tp = TopicPartition(topic_name(STATE, source.prefix), place.partition)
    where = f"{tp.topic}/{tp.partition}"
    end = await source.ends.stable_end(tp)
    # the next commit would also commit what a broker has left undecided there of the same producer
    for topic in (DECISIONS, THREATS, DEAD_LETTERS, CHECKPOINTS, SNAPSHOTS, FOLDS):
        await source.ends.stable_end(TopicPartition(topic_name(topic, source.prefix), place.partition))
    first = await source.ends.beginning(tp)
    if warm is not None:
        tail = await _newest_progress(source, tp, max(first, end - TAIL_RECORDS), end)
        if tail is not None and read_progress(tail, where) == warm.progress:
            return warm
    agents: dict[bytes, Cells] = {}
    newest: bytes | None = None
    async for records in read_partition(source.options, tp, first, end):
        for record in records:
            if record.key == PROGRESS_KEY:
                newest = record.value
            else:
                add_state_record(record.key, record.value, agents)
    if newest is None:
        raise PraetorError(
            f"{where} holds no progress record: run `praetor topics create`; if it did, its data is lost"
        )
    progress = read_progress(newest, where)
    if progress.log_id != place.log_id:
        raise PraetorError(f"{where} belongs to log {progress.log_id}, agent.control says {place.log_id}")
    return Partition(place, progress, agents)


async def _newest_progress(source: Source, tp: TopicPartition, start: int, end: int) -> bytes | None:
    newest: bytes | None = None
    async for records in read_partition(source.options, tp, start, end):
        for record in records:
            if record.key == PROGRESS_KEY:
                newest = record.value
    return newest


async def open_actions(
    source: Source, partition: Partition, view: ControlView, fetch_bytes: int = FETCH_BYTES
) -> AIOKafkaConsumer:
    """A consumer that stands at the partition's next action and reads at most `fetch_bytes` ahead.

    Raises:
        PraetorError: the log begins after it, or ends before it.
    """
    tp = TopicPartition(ACTIONS.name, partition.place.partition)
    start = await source.ends.beginning(tp)
    end = await source.ends.high_watermark(tp)
    skips = view.skips.get(tp.partition, {})
    position = partition.progress.next_source_offset
    position = skips.get(position, position)
    if position < start:
        raise PraetorError(
            f"{tp.topic}/{tp.partition} begins at offset {start}, the next action to judge is {position}: "
            f"{start - position} actions were deleted unjudged. Once you have accepted that loss: "
            f"`praetor control skip --partition {tp.partition} --from {position} --to {start} --reason …`"
        )
    if position > end:
        raise PraetorError(
            f"{tp.topic}/{tp.partition} ends at offset {end}, but actions up to {position} were judged: "
            "the topic was recreated or truncated. A new topic is a new log: it needs topics, state and a log"
            " id of its own (`praetor topics create` on a new broker)"
        )
    partition.progress = partition.progress.skipped_to(position)
    consumer = await start_consumer(
        source.options, "read_committed", max_partition_fetch_bytes=fetch_bytes, fetch_max_bytes=fetch_bytes
    )
    consumer.assign([tp])
    consumer.seek(tp, position)
    return consumer
