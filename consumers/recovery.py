"""Where a partition's archiving goes on: what the last owner left is completed before anything new."""

from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from consumers.buffer import Buffer
from consumers.cut import Cut, Source, cut
from consumers.intents import Intent
from consumers.writing import Destination
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, read_partition


@dataclass(frozen=True)
class Log:
    """The broker as a reader of logs needs it."""

    options: Options
    ends: Ends


async def starting_offset(log: Log, sink: Destination, source: Source, intent: Intent | None) -> int:
    """Return the offset to read on from, after checks that nothing is missing in between.

    Raises:
        PraetorError: topic, intents and ClickHouse do not belong together; the message says how.
    """
    tp = TopicPartition(source.topic, source.partition)
    begin, end = await log.ends.beginning(tp), await log.ends.high_watermark(tp)
    if intent is None:
        if await sink.holds(source):
            raise PraetorError(
                f"{source.place} was never archived according to agent.archive, but ClickHouse holds rows of "
                f"log {source.log_id} partition {source.partition} in {source.table.name}: the topics were "
                "recreated under a filled ClickHouse. Archive into a new database "
                "(PRAETOR_CLICKHOUSE_DATABASE), or bring the topics back"
            )
        return begin
    if end <= intent.last_offset:
        raise PraetorError(
            f"{source.place} ends at offset {end}, but was archived up to {intent.last_offset}: the topic "
            "was recreated or truncated under a filled ClickHouse. A new topic is a new log: it needs a log "
            "id and a database of its own"
        )
    # after a restore of an empty backup there is no last one
    if source.table.numbered and intent.last_seq >= 0 and not await sink.holds_seq(source, intent.last_seq):
        raise PraetorError(
            f"{source.place} was archived up to seq {intent.last_seq} according to agent.archive, but "
            "ClickHouse does not hold it: the database was dropped, or restored from an older backup. Once it"
            " is what it should be: `praetor db rewind` has the archive go on from there"
        )
    position = intent.last_offset + 1
    if begin > position and not source.table.numbered:
        raise PraetorError(
            f"{source.place} begins at offset {begin}, the next to archive is {position}: records may have "
            "been deleted unarchived (retention)"
        )
    return max(begin, position)


async def reread(log: Log, source: Source, intent: Intent) -> Cut:
    """Read exactly the records of an intent again, and cut them as they were cut before.

    Raises:
        PraetorError: they are not all there any more, or not those.
    """
    buffer = Buffer(source)
    tp = TopicPartition(source.topic, source.partition)
    try:
        async for records in read_partition(log.options, tp, intent.first_offset, intent.last_offset + 1):
            buffer.add(records)
    except OffsetOutOfRangeError as error:
        raise PraetorError(
            f"{intent.place} were being archived when the archive ended, and are gone from the topic: "
            "whether ClickHouse has them all cannot be told"
        ) from error
    if len(buffer) != intent.rows:
        raise PraetorError(
            f"{intent.place} are {len(buffer)} records, but were {intent.rows} when they were to be "
            "archived: the topic was changed"
        )
    again = cut(source, buffer.take())
    if (again.first_seq, again.last_seq, again.rows) != (intent.first_seq, intent.last_seq, intent.rows):
        raise PraetorError(f"{intent.place} are other records than those that were to be archived")
    return again


async def complete(sink: Destination, source: Source, found: Cut) -> None:
    """Bring into ClickHouse what is not there of a cut whose insert may or may not have happened.

    Each batch is counted first, since ClickHouse may have forgotten its token. One that is there is written
    again only while the token is surely remembered.

    Raises:
        PraetorError: some of a batch's rows are there, or more than all.
    """
    for batch in found.batches:
        counts = await sink.count(batch)
        if any(count not in (0, batch.rows) for count in counts):
            raise _torn(source, found, counts, batch.rows)
        # rows that are all there may not have reached the sums: the same write completes them
        if any(count != batch.rows for count in counts) or await sink.remembers(batch):
            await sink.write(batch)
            counts = await sink.count(batch)
            if any(count != batch.rows for count in counts):
                raise _torn(source, found, counts, batch.rows)


def _torn(source: Source, found: Cut, counts: tuple[int, ...], rows: int) -> PraetorError:
    names = (source.table.name, *source.table.derived)
    there = ", ".join(f"{count} in {name}" for name, count in zip(names, counts, strict=True))
    return PraetorError(
        f"{source.place} offsets {found.first_offset} to {found.last_offset}: of {rows} rows ClickHouse "
        f"holds {there}: neither none nor all. Something else changed the tables; `praetor ledger verify` "
        "says what"
    )
