"""The records of the ledger's topics in Kafka, as they are; `cli.ledger.kafka` says what they mean."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from cli.ledger.sources import Log
from consumers.log_id import read_log_id
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Ends, Options, partition_counts, read_partition
from schemas.topics import CHECKPOINTS, DECISIONS, Topic, topic_name

STABLE_SECONDS = 90.0

T = TypeVar("T")


class Topics:
    """Reads committed records of agent.decisions and agent.checkpoints. Not thread-safe.

    Raises:
        PraetorError: topics are missing, or agent.control names no log.
        Unavailable: no broker answers.
    """

    def __init__(self, options: Options, prefix: str) -> None:
        self._options = options
        self._prefix = prefix
        self._runner = asyncio.Runner()
        self._ends = Ends(options)
        names = [self.name(topic) for topic in (DECISIONS, CHECKPOINTS)]
        try:
            counts = self._run(partition_counts(options, names))
            self._run(self._ends.start())
            log_id = self._run(read_log_id(options, self._ends))
            self.logs = [Log(log_id, p) for p in range(min(counts.values()))]
        except BaseException:
            self.close()
            raise

    def name(self, topic: Topic) -> str:
        """The topic's name with the prefix."""
        return topic_name(topic, self._prefix)

    def bounds(self, topic: Topic, log: Log) -> tuple[int, int]:
        """The first offset, and the one after the last that is committed."""
        return self._run(self._stable(TopicPartition(self.name(topic), log.partition)))

    def records(self, topic: Topic, log: Log, bounds: tuple[int, int]) -> Iterator[ConsumerRecord]:
        """Committed records between two offsets."""
        tp = TopicPartition(self.name(topic), log.partition)
        batches = read_partition(self._options, tp, *bounds)
        while batch := self._run(_next(batches)):
            yield from batch

    def close(self) -> None:
        """Disconnect."""
        self._run(self._ends.stop())
        self._runner.close()

    async def _stable(self, tp: TopicPartition) -> tuple[int, int]:
        try:
            async with asyncio.timeout(STABLE_SECONDS):
                return await self._ends.beginning(tp), await self._ends.stable_end(tp)
        except TimeoutError as error:
            raise PraetorError(
                f"{tp.topic}/{tp.partition}: a transaction has been open for {STABLE_SECONDS:.0f} s, so its"
                " end cannot be read; try again once its writer has ended or timed out"
            ) from error

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(doing)
        except KafkaError as error:
            where = self._options["bootstrap_servers"]
            raise Unavailable(f"Kafka at {where}: {error!r}; try again") from error


async def _next(batches: AsyncIterator[list[ConsumerRecord]]) -> list[ConsumerRecord]:
    return await anext(batches, [])
