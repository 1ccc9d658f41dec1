"""What workers say of themselves on agent.workers: which control offset each has applied, and since when.

Evidence for people and for who waits for an order to be applied; nothing is judged or decided by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from runtime.errors import Malformed
from runtime.kafka import Options, partition_counts, start_consumer
from schemas.codec import decode, encode
from schemas.topics import WORKERS, topic_name

SILENT_MS = 45_000
"""A worker says something every 15 s; one that has not for so long may be gone, or cut off."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Field by field the record of agent.workers (schemas/avro/worker_status.v1.avsc)."""

    worker_id: str
    host: str
    pid: int
    started_at: int
    told_at: int
    engine: str
    log_id: str
    partitions: tuple[int, ...]
    control_offset: int
    applied_at: int
    bundle: str | None
    bundle_offset: int | None
    canary: str | None
    refused: tuple[tuple[int, str], ...]

    def to_bytes(self) -> bytes:
        """The framed Avro record."""
        record = {name: getattr(self, name) for name in WorkerStatus.__slots__}
        refused = [{"offset": offset, "why": why} for offset, why in self.refused]
        return encode("worker_status", {**record, "partitions": list(self.partitions), "refused": refused})


def read_status(value: bytes | None) -> WorkerStatus:
    """Read a record.

    Raises:
        Malformed: it is none.
    """
    record = decode(value, "worker_status")
    refused = tuple((one["offset"], one["why"]) for one in record["refused"])
    return WorkerStatus(**{**record, "partitions": tuple(record["partitions"]), "refused": refused})


class Seen(NamedTuple):
    """What a worker said last, and when by the broker's clock (milliseconds)."""

    status: WorkerStatus
    at: int

    def is_silent(self, now_ms: int) -> bool:
        """Whether it has said nothing for 45 s, by a moment of the broker's clock."""
        return now_ms - self.at > SILENT_MS

    def applied_at(self) -> int:
        """Since when it has applied its control offset, by the broker's clock."""
        return self.at - max(0, self.status.told_at - self.status.applied_at)


class Fleet:
    """The workers by id: what each said last. One that took its leave is forgotten."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}

    def add(self, records: Iterable[ConsumerRecord]) -> None:
        """Fold records; what is none of a worker's is passed over."""
        for record in records:
            if record.value is None:
                self.seen.pop((record.key or b"").decode(errors="replace"), None)
                continue
            try:
                status = read_status(record.value)
            except Malformed:
                continue
            self.seen[status.worker_id] = Seen(status, record.timestamp)

    def of(self, log_id: str) -> list[Seen]:
        """The workers of a log, by id."""
        return [seen for _, seen in sorted(self.seen.items()) if seen.status.log_id == log_id]


class Following:
    """Reads agent.workers from its beginning and goes on, inside `async with`."""

    def __init__(self, options: Options, prefix: str) -> None:
        self.fleet = Fleet()
        self._options = options
        self._tp = TopicPartition(topic_name(WORKERS, prefix), 0)
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        """Read what is there.

        Raises:
            PraetorError: the topic is missing, or may not be read.
            Unavailable: no broker answers.
        """
        await partition_counts(self._options, [self._tp.topic])
        self._consumer = await start_consumer(self._options, "read_uncommitted", fetch_max_wait_ms=100)
        self._consumer.assign([self._tp])
        start = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        self._consumer.seek(self._tp, start)
        while await self._consumer.position(self._tp) < end:
            await self.step()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def step(self, timeout_ms: int = 100) -> None:
        """Take what comes within a moment."""
        if self._consumer is None:
            raise RuntimeError("step comes inside the block")
        found: dict[TopicPartition, Sequence[ConsumerRecord]] = await self._consumer.getmany(
            timeout_ms=timeout_ms
        )
        for records in found.values():
            self.fleet.add(records)


async def read_workers(options: Options, prefix: str, log_id: str) -> list[Seen]:
    """The workers of a log, by id, as they are now.

    Raises:
        PraetorError: the topic is missing, or may not be read.
        Unavailable: no broker answers.
    """
    async with Following(options, prefix) as following:
        return following.fleet.of(log_id)
