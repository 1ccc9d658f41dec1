"""Publishes dead letters to agent.actions again, each at most once (docs/adr/0007)."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from runtime.abandon import abandon
from runtime.errors import Malformed, PraetorError
from runtime.kafka import Options, check_access, started
from schemas.access import topic_needs
from schemas.action import read_action
from schemas.codec import Record
from schemas.limits import MAX_RECORD_BYTES, oversize
from schemas.topics import ACTIONS, REDRIVEN, topic_name
from streams.dead_letters import BATCH, SIZE
from streams.redriven import Redriven, Redrives, read_redrives

MARK = "praetor.redrive."
TRANSACTION_TIMEOUT_MS = 15_000
REQUEST_TIMEOUT_MS = 10_000
# shorter than a request's, which aiokafka would repeat: see streams.transaction
WRITE_SECONDS = 9

Headers = list[tuple[str, bytes | None]]


def headers_of(letter: Record, first_offset: int, attempt: int) -> Headers:
    """The headers of a letter's record, with the marks of a redrive in place of any that it came with."""
    marks = {
        "log": letter["log_id"],
        "partition": str(letter["partition"]),
        "offset": str(first_offset),
        "attempt": str(attempt),
    }
    own = [(h["key"], h["value"]) for h in letter["headers"] if not h["key"].startswith(MARK)]
    return own + [(MARK + name, value.encode()) for name, value in marks.items()]


def why_not(letter: Record, log_id: str, force: bool = False) -> str:
    """Say why a letter cannot be redriven; nothing where it can.

    `force` lets pass what would not decode now either. Whether it was redriven before is not asked here.
    """
    value = letter["value"]
    if letter["log_id"] != log_id:
        return f"it is of log {letter['log_id'][:64]}; this is log {log_id}"
    if letter["stage"] == BATCH:
        return "its bytes could not be read and were not kept"
    if letter["stage"] == SIZE or letter["value_bytes"] > len(value or b""):
        kept = f"{len(value or b'')} of {letter['value_bytes']} bytes of its value"
        return f"it is too large, and was kept only in part ({kept}): send it anew, cut"
    if why := oversize(letter["key"], value, headers_of(letter, letter["source_offset"], 1)):
        return f"with the marks of a redrive it would be too large: {why}"
    if not force:
        try:
            read_action(value, letter["received_at"])
        except Malformed as error:
            return f"it would not decode now either: {error}"
    return ""


class _Batch:
    """Records of one partition; the first one always fits. `rows`: letter's offset, first offset, attempt."""

    def __init__(self, partition: int, builder: Any) -> None:
        self.partition = partition
        self.builder = builder
        self.rows: list[tuple[int, int, int]] = []

    def add(self, letter: Record, first: int, attempt: int) -> bool:
        headers = headers_of(letter, first, attempt)
        added = self.builder.append(timestamp=None, key=letter["key"], value=letter["value"], headers=headers)
        if added is not None:
            self.rows.append((letter["source_offset"], first, attempt))
        return added is not None


class Redriver:
    """Redrives the dead letters of one log. Use it as an async context manager.

    Entering it fences whoever else redrives this log, and reads what was redriven so far; no letter can then
    be published twice, whenever and by whomever this is killed or repeated.
    """

    def __init__(self, options: Options, prefix: str, log_id: str) -> None:
        self.redrives = Redrives()
        self._options = options
        self._prefix = prefix
        self._log_id = log_id
        self._topic = topic_name(REDRIVEN, prefix)
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        """Fence, then read.

        Raises:
            PraetorError: agent.redriven cannot be read, or we lack a grant.
            Unavailable: no broker answers.
        """
        await check_access(self._options, topic_needs("redrive", self._prefix))
        producer = AIOKafkaProducer(
            **self._options,
            transactional_id=f"{self._prefix}praetor-redrive-{self._log_id}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_request_size=2 * MAX_RECORD_BYTES,
        )
        try:
            self._producer = await started(producer, self._options)
            # only now: what a predecessor had under way has come to its end by the producer's start
            self.redrives = await read_redrives(self._options, self._prefix)
        except BaseException:
            await self._let_go()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._let_go()

    async def publish(self, letters: Sequence[Record]) -> list[Redriven]:
        """Publish letters, and that they were published, in one transaction.

        Each must pass `why_not`; those that were redriven already are passed over. Keep the letters of a
        transaction few: it delays the judging of the partitions that it writes to.

        Raises:
            PraetorError: it did not happen, or nobody knows; leave this redriver then, and begin anew.
        """
        letters = [x for x in letters if self.redrives.of(x["partition"], x["source_offset"]) is None]
        if not letters:
            return []
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                redriven = await self._write(letters)
        except ProducerFenced as error:
            raise PraetorError(
                "another redrive of this log has begun: this one ends. What it has published stays; the other"
                " one does not publish it again"
            ) from error
        except (KafkaError, TimeoutError) as error:
            what = f"no answer within {WRITE_SECONDS} s" if isinstance(error, TimeoutError) else repr(error)
            raise PraetorError(
                f"redriving ended: Kafka at {self._options['bootstrap_servers']}: {what}. Run it again: what"
                " was redriven is not redriven twice"
            ) from error
        for one in redriven:
            self.redrives.add(one)
        return redriven

    async def _write(self, letters: Sequence[Record]) -> list[Redriven]:
        producer = self._producer
        if producer is None:
            raise RuntimeError("enter the redriver first")
        await producer.begin_transaction()
        batches = self._batches(producer, letters)
        sent = [await producer.send_batch(b.builder, ACTIONS.name, partition=b.partition) for b in batches]
        acks = await asyncio.gather(*sent)
        now = int(time.time() * 1000)
        redriven = [
            Redriven(self._log_id, batch.partition, offset, ack.offset + i, first, attempt, now)
            for batch, ack in zip(batches, acks, strict=True)
            for i, (offset, first, attempt) in enumerate(batch.rows)
        ]
        noted = [await producer.send(self._topic, one.to_bytes(), partition=0) for one in redriven]
        await asyncio.gather(*noted)
        await producer.commit_transaction()
        return redriven

    def _batches(self, producer: AIOKafkaProducer, letters: Sequence[Record]) -> list["_Batch"]:
        """The letters' records in batches, in their order within a partition."""
        found: list[_Batch] = []
        newest: dict[int, _Batch] = {}
        for letter in letters:
            partition, origin = letter["partition"], self._origin(letter)
            if partition not in newest or not newest[partition].add(letter, *origin):
                newest[partition] = _Batch(partition, producer.create_batch())
                found.append(newest[partition])
                newest[partition].add(letter, *origin)
        return found

    def _origin(self, letter: Record) -> tuple[int, int]:
        """The offset of the producer's own record, and which attempt this is."""
        before = self.redrives.origin(letter["partition"], letter["source_offset"])
        return (before.first_offset, before.attempt + 1) if before else (letter["source_offset"], 1)

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)
