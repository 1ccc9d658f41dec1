"""What Kafka holds of one partition: how far it has come, its actions, and what became of them."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from cli.deliveries.standing import committed
from cli.ledger.sources import Log
from cli.ledger.topics import Topics
from cli.reconcile.numbers import Epoch, Producers
from cli.reconcile.offsets import ACTION, DECISION, LETTER, Entry
from cli.waiting import newest_progress
from consumers.intents import Intent, newest_intents
from detections.source import CLOSING
from runtime.errors import Malformed, PraetorError
from runtime.kafka import check_access, common_options, start_consumer
from runtime.settings import Settings
from schemas.action import Action, read_action
from schemas.codec import decode
from schemas.keys import agent_key, partition_of
from schemas.topics import ACTIONS, ARCHIVE, DEAD_LETTERS, DECISIONS, Topic
from streams.progress import Progress

_partition_of = lru_cache(1 << 16)(partition_of)


class Kafka(Topics):
    """Reads committed records of a log's topics. Not thread-safe.

    Raises:
        PraetorError: topics are missing, or agent.control names no log.
        Unavailable: no broker answers.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(common_options(settings), settings.topic_prefix)
        self._settings = settings

    def progress(self, log: Log) -> Progress:
        """How far the partition was judged.

        Raises:
            PraetorError: it has no progress record, or one of another log.
        """
        found = self._run(newest_progress(self._settings, [log.partition])).get(log.partition)
        if found is None or found.log_id != log.log_id:
            raise PraetorError(
                f"agent.state holds no progress of {log.origin}: run `praetor topics create`; if it did, its"
                " data is lost"
            )
        return found

    def intents(self, log: Log) -> dict[str, Intent]:
        """How far the archive has come, by topic name; topics of which it has nothing are left out."""
        tp = TopicPartition(self.name(ARCHIVE), log.partition)
        names = [self.name(topic) for topic in (DECISIONS, DEAD_LETTERS)]
        return self._run(newest_intents(self._options, self._ends, tp, log.log_id, names))

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """The offsets that a consumer group has committed."""
        return self._run(committed(self._options, group))

    def need(self, *topics: Topic) -> None:
        """See that topics are there and may be read."""
        self._run(check_access(self._options, {self.name(topic): ("Read",) for topic in topics}))

    def since(self, topic: Topic, log: Log, bounds: tuple[int, int], since_ms: int | None) -> tuple[int, int]:
        """The bounds, without what was appended before a time."""
        if since_ms is None:
            return bounds
        tp = TopicPartition(self.name(topic), log.partition)
        at = self._run(_offset_at(self._options, tp, since_ms))
        return (bounds[1] if at is None else min(max(at, bounds[0]), bounds[1])), bounds[1]

    def actions(self, log: Log, bounds: tuple[int, int], numbers: "Numbering") -> Iterator[Entry]:
        """Every action; those that are numbered are told to `numbers`."""
        for record in self.records(ACTIONS, log, bounds):
            numbers.take_action(record)
            yield record.offset, ACTION, -1, False

    def decisions(
        self, log: Log, bounds: tuple[int, int], archived_seq: int, numbers: "Numbering"
    ) -> Iterator[Entry]:
        """The action's offset of every decision, in the order on the topic."""
        for record in self.records(DECISIONS, log, bounds):
            decision = _decoded(record, "decision")
            numbers.take_decision(decision)
            seq = decision["seq"]
            yield decision["source_offset"], DECISION, seq, seq <= archived_seq

    def letters(self, log: Log, bounds: tuple[int, int], archived: int) -> Iterator[Entry]:
        """The action's offset of every dead letter of an action."""
        for record in self.records(DEAD_LETTERS, log, bounds):
            letter = _decoded(record, "dead_letter")
            if letter["topic"] == ACTIONS.name:
                yield letter["source_offset"], LETTER, -1, record.offset <= archived


class Numbering:
    """Tells one partition's producers what came; misrouted events are nobody's, as in judgement."""

    def __init__(self, log: Log, partitions: int, wanted: dict[str, str], producers: Producers) -> None:
        """Take what is `wanted`: values of tenant, agent_id, producer_id that an event must have."""
        self._log = log
        self._partitions = partitions
        self._wanted = wanted
        self._producers = producers

    def take_action(self, record: ConsumerRecord) -> None:
        """Take what a producer sent; what does not decode has no number."""
        try:
            action = read_action(record.value, 0)
        except Malformed:
            return
        numbered = action.numbered()
        if numbered is None or not self._is_routed(action, record.key):
            return
        names = ("producer_id", "producer_epoch")
        fields = {"tenant": action.tenant, "agent_id": action.agent_id} | {n: action.get(n) for n in names}
        self._take(fields, numbered[1], action.action)

    def take_decision(self, decision: dict[str, Any]) -> None:
        """Take a decision: actions may have been deleted from Kafka before it."""
        reasons = decision["reasons"]
        misrouted = reasons and (reasons[0]["policy"], reasons[0]["rule"]) == ("praetor", "misrouted")
        if decision["producer_id"] is not None and not misrouted:
            self._take(decision, decision["producer_seq"], decision["action"])

    def _is_routed(self, action: Action, key: bytes | None) -> bool:
        wanted = agent_key(action.tenant, action.agent_id)
        return key == wanted and _partition_of(wanted, self._partitions) == self._log.partition

    def _take(self, fields: dict[str, Any], seq: int, action: str) -> None:
        if seq < 0 or fields["producer_epoch"] < 0:
            return
        if any(fields[name] != value for name, value in self._wanted.items()):
            return
        epoch = Epoch(fields["tenant"], fields["agent_id"], fields["producer_id"], fields["producer_epoch"])
        if action == CLOSING:
            self._producers.close(epoch, seq)
        else:
            self._producers.add(epoch, seq, seq)


async def _offset_at(options: dict[str, Any], tp: TopicPartition, ms: int) -> int | None:
    consumer = await start_consumer(options, "read_committed")
    try:
        found = (await consumer.offsets_for_times({tp: ms}))[tp]
    finally:
        await consumer.stop()
    return None if found is None else int(found.offset)


def _decoded(record: ConsumerRecord, name: str) -> dict[str, Any]:
    try:
        return decode(record.value, name)
    except Malformed as error:
        raise PraetorError(
            f"{record.topic}/{record.partition} offset {record.offset} is no {name}, so another program"
            f" writes there: {error}. `praetor ledger verify` says what is left of the ledger"
        ) from error
