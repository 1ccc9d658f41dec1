"""Reads dead letters: the newest, one by its action's place, or all in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiokafka import TopicPartition

from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, Options, common_options, partition_counts, read_partition
from runtime.settings import Settings
from schemas.codec import Record, decode
from schemas.topics import DEAD_LETTERS, topic_name

WINDOW = 200
BROKER_SECONDS = 30


async def letter_partitions(settings: Settings) -> list[TopicPartition]:
    """The partitions of agent.dead-letters.

    Raises:
        PraetorError: the topic is missing.
        Unavailable: no broker answers.
    """
    topic = topic_name(DEAD_LETTERS, settings.topic_prefix)
    counts = await partition_counts(common_options(settings), [topic])
    return [TopicPartition(topic, partition) for partition in range(counts[topic])]


async def newest_letters(settings: Settings, limit: int) -> list[Record]:
    """The newest letters of all partitions, the newest first."""
    found: list[Record] = []
    for tp in await letter_partitions(settings):
        mine: list[Record] = []
        async with aclosing(_backwards(common_options(settings), tp)) as windows:
            async for window in windows:
                mine = window + mine
                if len(mine) >= limit:
                    break
        found += mine[-limit:]
    return sorted(found, key=lambda letter: letter["received_at"], reverse=True)[:limit]


async def find_letter(settings: Settings, partition: int, offset: int) -> Record:
    """The letter of one action.

    Raises:
        PraetorError: there is none.
    """
    partitions = await letter_partitions(settings)
    if partition < len(partitions):
        async with aclosing(_backwards(common_options(settings), partitions[partition])) as windows:
            async for window in windows:
                for letter in window:
                    if letter["source_offset"] == offset:
                        return letter
                if window and window[0]["source_offset"] < offset:
                    break
    topic = topic_name(DEAD_LETTERS, settings.topic_prefix)
    raise PraetorError(
        f"no dead letter of partition {partition}, offset {offset} in {topic}: `praetor dead-letters list`"
        " names those that are kept"
    )


async def _backwards(options: Options, tp: TopicPartition) -> AsyncGenerator[list[Record], None]:
    """Yield a partition's committed letters in windows, the newest window first, each in order."""
    first, end = await kept_range(options, tp)
    size = WINDOW
    while first < end:
        start = max(first, end - size)
        async with aclosing(read_letters(options, tp, start, end)) as letters:
            window = [letter async for _, letter in letters]
        yield window
        end, size = start, size * 2


async def kept_range(options: Options, tp: TopicPartition) -> tuple[int, int]:
    """Where a partition begins, and its end, before which every transaction is decided.

    Raises:
        PraetorError: a transaction stays open.
    """
    ends = Ends(options)
    try:
        await ends.start()
        async with asyncio.timeout(BROKER_SECONDS):
            end = await ends.stable_end(tp)
        return await ends.beginning(tp), end
    except TimeoutError as error:
        raise PraetorError(f"{tp.topic}/{tp.partition}: a transaction stays open; try again later") from error
    finally:
        await ends.stop()


async def read_letters(
    options: Options, tp: TopicPartition, start: int, end: int
) -> AsyncGenerator[tuple[int, Record], None]:
    """Yield committed letters in order, each with its own offset in agent.dead-letters. Close it (aclosing).

    Raises:
        PraetorError: a record is no dead letter; only govern writes them, so somebody else writes there.
    """
    async with aclosing(read_partition(options, tp, start, end)) as batches:
        async for records in batches:
            for record in records:
                yield record.offset, _read(record.value, f"{tp.topic}/{tp.partition} offset {record.offset}")


def _read(value: bytes | None, where: str) -> Record:
    try:
        return decode(value, "dead_letter")
    except Malformed as error:
        raise PraetorError(f"{where} is no dead letter, so another program writes there: {error}") from error
