"""The first agent: each fold goes to the partitions of its groups.

At least once and in order: a fold is committed as read once the broker has all its copies. A copy names its
fold (`source`), so that whoever counts knows a repetition.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog
from aiokafka import AIOKafkaProducer

from runtime import metrics
from runtime.errors import Malformed
from runtime.kafka import Options, started
from schemas.codec import decode
from schemas.keys import partition_of
from schemas.topics import FOLDS_BY_GROUP, topic_name
from streams.correlate.app import Record
from streams.correlate.groups import group_key, groups_of

log = structlog.get_logger()

SOURCE = "source"
MOST_PENDING = 1_000
COMMIT_SECONDS = 0.5
Commit = Callable[[int, int], Awaitable[None]]


class Rekeying:
    """Copies folds by group. `commit` is told a partition of agent.folds and its next offset."""

    def __init__(self, options: Options, prefix: str, partitions: int, commit: Commit) -> None:
        self._options = options
        self._topic = topic_name(FOLDS_BY_GROUP, prefix)
        self._partitions = partitions
        self._commit = commit
        self._producer: AIOKafkaProducer | None = None
        self._pending: deque[tuple[int, int, list[asyncio.Future[object]]]] = deque()
        self._room = asyncio.Semaphore(MOST_PENDING)

    async def start(self) -> None:
        """Connect."""
        producer = AIOKafkaProducer(
            **self._options, enable_idempotence=True, linger_ms=5, max_request_size=8 << 20
        )
        self._producer = await started(producer, self._options)

    async def stop(self) -> None:
        """Let go; what is not committed is copied again."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def take(self, record: Record) -> None:
        """Send a fold's copies; waits while too many are under way."""
        await self._room.acquire()
        sent: list[asyncio.Future[object]] = []
        try:
            fold = decode(record.value, "fold")
        except Malformed as error:
            metrics.CORRELATE_MALFORMED.inc()
            log.error(
                "a record of agent.folds is passed over",
                partition=record.partition,
                offset=record.offset,
                reason=str(error),
            )
        else:
            source = [(SOURCE, f"{record.partition}/{record.offset}".encode())]
            for group_by, group in groups_of(fold):
                key = group_key(group_by, fold["tenant"], group)
                sent.append(await self._send(key, record.value, source))
        self._pending.append((record.partition, record.offset, sent))

    async def _send(
        self, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        if self._producer is None:
            raise RuntimeError("take comes after start")
        found: asyncio.Future[object] = await self._producer.send(
            self._topic, value, key=key, partition=partition_of(key, self._partitions), headers=headers
        )
        return found

    async def run(self) -> None:
        """Commit what the broker has, until cancelled.

        Raises:
            KafkaError: a copy did not arrive.
        """
        while True:
            places: dict[int, int] = {}
            until = asyncio.get_running_loop().time() + COMMIT_SECONDS
            while self._pending and asyncio.get_running_loop().time() < until:
                partition, offset, sent = self._pending[0]
                await asyncio.gather(*sent)
                self._pending.popleft()
                self._room.release()
                places[partition] = offset + 1
            for partition, offset in places.items():
                await self._commit(partition, offset)
            if not self._pending:
                await asyncio.sleep(0.05)
