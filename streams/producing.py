"""The producer of the project's own tools: encoded actions into `agent.actions`, in whole batches."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.errors import PraetorError
from runtime.kafka import Options, check_access, started
from runtime.kafka_errors import refusal
from schemas.keys import partition_of
from schemas.limits import MAX_RECORD_BYTES, MAX_VALUE_BYTES, oversize
from schemas.topics import ACTIONS

BATCH_BYTES = 256 * 1024
METADATA_SECONDS = 10

_partition_of = lru_cache(maxsize=1 << 16)(partition_of)


@dataclass
class Published:
    """What the broker has acknowledged.

    Attributes:
        count: records.
        first_append_ms: the lowest append time among the batches; None where the topic keeps the producer's.
        ranges: per partition, [first, last] offsets of what was published; neighbours are joined, so that
            one producer alone leaves one range a partition.
    """

    count: int = 0
    first_append_ms: int | None = None
    ranges: dict[int, list[list[int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, partition: int, first: int, records: int, append_ms: int | None) -> None:
        """Note a batch; batches of one partition come in the order of their offsets."""
        self.count += records
        ranges = self.ranges[partition]
        if ranges and ranges[-1][1] + 1 == first:
            ranges[-1][1] += records
        else:
            ranges.append([first, first + records - 1])
        if append_ms is not None:
            self.first_append_ms = min(append_ms, self.first_append_ms or append_ms)


class ActionProducer:
    """An idempotent producer that chooses the partition itself, as Kafka's Java client does.

    Use it as an async context manager. `publish` keeps the order of records within a partition, as long as
    it is not called while another call runs. At most two batches a partition are under way; a full one makes
    `publish` wait. What was acknowledged stands in `published`. Nothing is promised of records whose
    acknowledgement failed: they may or may not be in the topic.
    """

    def __init__(self, options: Options, topic: str = ACTIONS.name) -> None:
        self.published = Published()
        self.partitions = 0
        self._options = options
        self._bootstrap = options["bootstrap_servers"]
        self._topic = topic
        self._producer: Any = None
        self._under_way: set[asyncio.Future[Any]] = set()
        self._failed: BaseException | None = None

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            PraetorError: the topic does not exist, or we may not write to it.
            Unavailable: no broker answers.
        """
        await check_access(self._options, {self._topic: ("Write",)})
        self._producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES + BATCH_BYTES,
        )
        await started(self._producer, self._options)
        try:
            async with asyncio.timeout(METADATA_SECONDS):
                self.partitions = len(await self._producer.partitions_for(self._topic))
        except (KafkaError, TimeoutError) as error:
            await self._producer.stop()
            raise self._explain(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def publish(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Send keys and framed values; returns when all are handed over, not when they are acknowledged.

        Raises:
            PraetorError: an action is too large (nothing of this call is sent), or an earlier batch failed.
        """
        batches: dict[int, list[Any]] = defaultdict(list)
        for key, value in records:
            if len(key) + len(value) > MAX_VALUE_BYTES and (why := oversize(key, value, ())):
                raise PraetorError(
                    f"an action has {why}. Keep its content elsewhere, and send content_ref, content_bytes"
                    " and content_sha256"
                )
            self._append(batches[_partition_of(key, self.partitions)], key, value)
        deepest = max(map(len, batches.values()), default=0)
        for depth in range(deepest):
            for partition, builders in batches.items():
                if depth < len(builders):
                    await self._send(partition, builders[depth])

    async def flush(self) -> Published:
        """Wait until everything is acknowledged.

        Raises:
            PraetorError: a batch failed.
        """
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._raise_failure()
        return self.published

    def _append(self, builders: list[Any], key: bytes, value: bytes) -> None:
        if builders and builders[-1].append(timestamp=None, key=key, value=value) is not None:
            return
        builder = self._producer.create_batch()
        builder.append(timestamp=None, key=key, value=value)
        builders.append(builder)

    async def _send(self, partition: int, builder: Any) -> None:
        self._raise_failure()
        builder.close()
        records = builder.record_count()
        try:
            sent = await self._producer.send_batch(builder, self._topic, partition=partition)
        except KafkaError as error:
            raise self._explain(error) from error
        self._under_way.add(sent)
        sent.add_done_callback(lambda future: self._acknowledge(future, partition, records))

    def _acknowledge(self, sent: asyncio.Future[Any], partition: int, records: int) -> None:
        self._under_way.discard(sent)
        if sent.cancelled():
            return
        if error := sent.exception():
            self._failed = self._failed or error
            return
        ack = sent.result()
        self.published.add(partition, ack.offset, records, ack.timestamp if ack.timestamp_type else None)

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._explain(self._failed) from self._failed

    def _explain(self, error: BaseException) -> PraetorError:
        if isinstance(error, TimeoutError):
            return PraetorError(
                f"Kafka at {self._bootstrap} has no topic {self._topic}:"
                " create it with `praetor topics create`"
            )
        if refused := refusal(error, self._options):
            return refused
        return PraetorError(
            f"publishing to {self._topic} at {self._bootstrap} failed after {self.published.count} actions:"
            f" {type(error).__name__}: {error}"
        )
