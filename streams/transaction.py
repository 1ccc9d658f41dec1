"""Writes one batch as one transaction, the progress record last."""

import asyncio
import time
from collections.abc import Iterable

import aiokafka.producer.sender
from aiokafka import AIOKafkaProducer

from runtime.errors import PraetorError, Unavailable
from schemas.topics import (
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    FOLDS,
    SNAPSHOTS,
    STATE,
    THREATS,
    Topic,
    topic_name,
)
from streams.partition import Batch
from streams.progress import PROGRESS_KEY

# While the broker writes a transaction's markers, the next one's first request is refused, and aiokafka then
# sleeps a fixed 20 ms, for which it has no option; with 1 ms the median latency at 200 actions/s falls from
# 31 to 5 ms.
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.001

Written = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
WRITE_SECONDS = 9
NO_HEADERS: list[tuple[str, bytes]] = []


class Writer:
    """Writes the transactions of one partition. Output timestamps are this machine's clock."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, partition: int) -> None:
        self._producer = producer
        self._prefix = prefix
        self._partition = partition

    async def write(self, batch: Batch, checkpoint: bytes | None) -> None:
        """Write and commit, or raise and leave the transaction's fate to the next owner's init.

        Raises:
            KafkaError, Unavailable: fenced, or nobody knows what became of it: discard the producer.
        """
        try:
            # aiokafka would repeat a request that timed out, and the late first one could then end a later
            # transaction (Jepsen on Kafka's protocol before KIP-890): give up before it does
            async with asyncio.timeout(WRITE_SECONDS):
                await self._write(batch, checkpoint)
        except TimeoutError as error:
            raise Unavailable(f"a transaction was not committed within {WRITE_SECONDS} s") from error

    async def _write(self, batch: Batch, checkpoint: bytes | None) -> None:
        await self._producer.begin_transaction()
        acks: list[asyncio.Future[object]] = []
        acks += await self._send(DECISIONS, ((k, v, NO_HEADERS) for k, v in batch.decisions))
        acks += await self._send(THREATS, ((k, v, NO_HEADERS) for k, v in batch.threats))
        acks += await self._send(FOLDS, ((k, v, NO_HEADERS) for k, v in batch.folds))
        acks += await self._send(SNAPSHOTS, ((k, v, NO_HEADERS) for k, v in batch.snapshots))
        acks += await self._send(DEAD_LETTERS, (letter[:3] for letter in batch.dead_letters))
        if checkpoint is not None:
            acks += await self._send(CHECKPOINTS, [(None, checkpoint, NO_HEADERS)])
        cells = ((k, v, NO_HEADERS) for k, v in batch.cells)
        progress = (PROGRESS_KEY, batch.after.to_bytes(), NO_HEADERS)
        acks += await self._send(STATE, [*cells, progress])
        # else the end of the transaction meets NotEnoughReplicas and sleeps
        await asyncio.gather(*acks)
        await self._producer.commit_transaction()

    async def _send(self, topic: Topic, records: Iterable[Written]) -> list[asyncio.Future[object]]:
        name = topic_name(topic, self._prefix)
        now = int(time.time() * 1000)
        sent: list[asyncio.Future[object]] = []
        builder = self._producer.create_batch()
        for key, value, headers in records:
            if builder.append(timestamp=now, key=key, value=value, headers=headers) is not None:
                continue
            sent.append(await self._producer.send_batch(builder, name, partition=self._partition))
            builder = self._producer.create_batch()
            if builder.append(timestamp=now, key=key, value=value, headers=headers) is None:
                raise PraetorError(f"a record of {len(value or b'')} bytes does not fit a batch of {name}")
        if builder.record_count():
            sent.append(await self._producer.send_batch(builder, name, partition=self._partition))
        return sent
