"""What became of dead letters: which were published again, as which record, for the how-manieth time."""

import asyncio
from typing import NamedTuple

from aiokafka import TopicPartition

from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, Options, partition_counts, read_partition
from schemas.codec import decode, encode
from schemas.topics import REDRIVEN, topic_name

OPEN_SECONDS = 30

Location = tuple[int, int]
"""Partition and offset in agent.actions."""


class Redriven(NamedTuple):
    """A dead letter that was published again. Field by field the record of agent.redriven.

    Attributes:
        log_id: the log.
        partition: of the letter's record, and of what was published.
        source_offset: of the record that did not decode.
        target_offset: of what was published.
        first_offset: of the producer's own record; another than `source_offset` from the second attempt on.
        attempt: 1 for the first time.
        redriven_at: milliseconds, by the clock of the machine that redrove.
    """

    log_id: str
    partition: int
    source_offset: int
    target_offset: int
    first_offset: int
    attempt: int
    redriven_at: int

    def to_bytes(self) -> bytes:
        """The framed Avro record."""
        return encode("redriven", self._asdict())


class Redrives:
    """All redrives, by the place of the letter's record and by that of what was published."""

    def __init__(self) -> None:
        self._of: dict[Location, Redriven] = {}
        self._to: dict[Location, Redriven] = {}

    def add(self, one: Redriven) -> None:
        """Note a redrive."""
        self._of[one.partition, one.source_offset] = one
        self._to[one.partition, one.target_offset] = one

    def of(self, partition: int, offset: int) -> Redriven | None:
        """How the dead letter of this record was redriven; None where it was not."""
        return self._of.get((partition, offset))

    def origin(self, partition: int, offset: int) -> Redriven | None:
        """The redrive that published this record; None where a producer did."""
        return self._to.get((partition, offset))


async def read_redrives(options: Options, prefix: str) -> Redrives:
    """Read agent.redriven to its end; a redrive that is under way is waited for.

    Raises:
        PraetorError: the topic is missing, holds what is no such record, or a transaction stays open.
        Unavailable: no broker answers.
    """
    tp = TopicPartition(topic_name(REDRIVEN, prefix), 0)
    await partition_counts(options, [tp.topic])
    ends = Ends(options)
    try:
        await ends.start()
        async with asyncio.timeout(OPEN_SECONDS):
            end = await ends.stable_end(tp)
        first = await ends.beginning(tp)
    except TimeoutError as error:
        raise PraetorError(f"{tp.topic}: a transaction stays open; try again later") from error
    finally:
        await ends.stop()
    found = Redrives()
    async for records in read_partition(options, tp, first, end):
        for record in records:
            try:
                found.add(Redriven(**decode(record.value, "redriven")))
            except Malformed as error:
                raise PraetorError(
                    f"{tp.topic} offset {record.offset} is no record of a redrive, so another program writes"
                    f" there: {error}"
                ) from error
    return found
