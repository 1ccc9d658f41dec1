"""The ledger as Kafka holds it: agent.decisions and agent.checkpoints."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from cli.ledger.sources import Advance, Log, Stored, Wanted, ledger_record, misfit, take_checkpoint
from consumers.log_id import read_log_id
from judgement.decision import bound_bytes
from ledger.findings import Finding, Kind, place_of
from ledger.records import Record, check_records
from runtime.errors import Malformed, PraetorError, Unavailable
from runtime.kafka import Ends, Options, partition_counts, read_partition
from schemas.codec import decode
from schemas.topics import CHECKPOINTS, DECISIONS, Topic, topic_name

STABLE_SECONDS = 90.0
TAIL = 16

T = TypeVar("T")


class KafkaSource:
    """Reads committed records from a log's beginning to the end that it has when reading begins.

    Checkpoints are read before decisions, so that what they sign is there.

    Raises:
        PraetorError: topics are missing, or agent.control names no log.
        Unavailable: no broker answers.
    """

    name = "Kafka"

    def __init__(self, options: Options, prefix: str) -> None:
        self._options = options
        self._prefix = prefix
        self._runner = asyncio.Runner()
        self._ends = Ends(options)
        names = [topic_name(topic, prefix) for topic in (DECISIONS, CHECKPOINTS)]
        try:
            counts = self._run(partition_counts(options, names))
            self._run(self._ends.start())
            log_id = self._run(read_log_id(options, self._ends))
            self._logs = [Log(log_id, p) for p in range(min(counts.values()))]
        except BaseException:
            self.close()
            raise

    def logs(self) -> list[Log]:
        """A log for each partition."""
        return self._logs

    def work(self, log: Log) -> int:
        """Offsets of the decisions' partition."""
        if log not in self._logs:
            return 0
        start, end = self._bounds(DECISIONS, log)
        return end - start

    def read(self, log: Log, wanted: Wanted, advance: Advance) -> Stored:
        """Read checkpoints, then decisions."""
        stored = Stored()
        if log not in self._logs:
            return stored
        started_at = self._take_notes(log, stored)
        start, end = self._bounds(DECISIONS, log)
        leaves: dict[int, bytes] = {}
        found = self._decisions(log, (start, end), stored, wanted, advance)
        if wanted.records:
            stored.records = check_records(log.origin, _noted(found, leaves), leaves)
        else:
            for _ in found:
                pass
        first = min(stored.leaves, default=(None, b""))[0]
        if start and first != 0:
            stored.gone = (
                f"offsets 0 to {start - 1} of {topic_name(DECISIONS, self._prefix)}/{log.partition} are no"
                f" longer in Kafka, and with them the decisions {_before(first)}: retention removes them"
                " (from here nobody can tell whether something else did). ClickHouse keeps every leaf and"
                " checkpoint: praetor ledger verify --from clickhouse"
            )
        elif started_at and stored.leaves and not stored.notes:
            stored.gone = (
                "its checkpoints are no longer in Kafka: retention removed them. ClickHouse keeps them all:"
                " praetor ledger verify --from clickhouse"
            )
        return stored

    def newest(self, log: Log) -> dict[str, Any] | None:
        """The last checkpoint on the topic."""
        if log not in self._logs:
            return None
        start, end = self._bounds(CHECKPOINTS, log)
        width = TAIL
        while True:
            begin = max(start, end - width)
            values = [r.value for r in self._records(CHECKPOINTS, log, (begin, end))]
            if values:
                return _readable(values[-1], log)
            if begin == start:
                return None
            width *= 8

    def close(self) -> None:
        """Disconnect."""
        self._run(self._ends.stop())
        self._runner.close()

    def _take_notes(self, log: Log, stored: Stored) -> int:
        bounds = self._bounds(CHECKPOINTS, log)
        for record in self._records(CHECKPOINTS, log, bounds):
            place = f"{record.topic}/{record.partition} offset {record.offset}"
            try:
                take_checkpoint(stored, log, decode(record.value, "checkpoint"), place)
            except Malformed as error:
                stored.findings.append(Finding(Kind.BAD_CHECKPOINT, place, str(error)))
        return bounds[0]

    def _decisions(
        self, log: Log, bounds: tuple[int, int], stored: Stored, wanted: Wanted, advance: Advance
    ) -> Iterator[Record]:
        done = bounds[0]
        for record in self._records(DECISIONS, log, bounds):
            if record.offset - done >= 1000:
                advance(record.offset - done)
                done = record.offset
            try:
                decision = decode(record.value, "decision")
            except Malformed as error:
                place = f"{record.topic}/{record.partition} offset {record.offset}"
                stored.findings.append(Finding(Kind.LEAF_MISMATCH, place, f"no decision: {error}"))
                continue
            seq = decision["seq"]
            if stored.leaves and seq < stored.leaves[-1][0]:
                message = f"stands behind seq {stored.leaves[-1][0]}, at offset {record.offset}"
                stored.findings.append(Finding(Kind.MISPLACED, place_of(log.origin, seq, seq), message))
            stored.leaves.append((seq, decision["leaf"]))
            try:
                if seq in wanted.keep:
                    stored.kept[seq] = bound_bytes(decision)
                if wanted.records:
                    yield ledger_record(decision)
            except (KeyError, ValueError, TypeError) as error:
                stored.findings.append(misfit(log, seq, error))
        advance(bounds[1] - done)

    def _records(self, topic: Topic, log: Log, bounds: tuple[int, int]) -> Iterator[ConsumerRecord]:
        tp = TopicPartition(topic_name(topic, self._prefix), log.partition)
        batches = read_partition(self._options, tp, *bounds)
        while batch := self._run(_next(batches)):
            yield from batch

    def _bounds(self, topic: Topic, log: Log) -> tuple[int, int]:
        tp = TopicPartition(topic_name(topic, self._prefix), log.partition)
        return self._run(self._stable(tp))

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


def _noted(records: Iterator[Record], leaves: dict[int, bytes]) -> Iterator[Record]:
    """Each record, once the leaf that it claims is in `leaves`: one pass is enough for both."""
    for record in records:
        leaves.setdefault(record.seq, record.leaf)
        yield record


def _before(first: int | None) -> str:
    return "before the first that is left" if first is None else f"0 to {first - 1}"


def _readable(value: bytes | None, log: Log) -> dict[str, Any]:
    try:
        return decode(value, "checkpoint")
    except Malformed as error:
        raise PraetorError(
            f"{log.origin}: the newest checkpoint cannot be read: {error}; praetor ledger verify says more"
        ) from error
