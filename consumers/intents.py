"""What the archive is about to insert, and has inserted: its own progress, kept in agent.archive."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer, TopicPartition

from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, Options, read_partition
from schemas.codec import decode, encode

WINDOW = 500


@dataclass(frozen=True)
class Intent:
    """One range of one topic's partition; `done` says that its rows are known to be in ClickHouse.

    Offsets and seqs are of the first and last record; seqs are -1 where the topic has none. In one that is
    done, `last_offset` may lie further on, over markers and aborted records that follow.
    """

    log_id: str
    topic: str
    partition: int
    done: bool
    first_offset: int
    last_offset: int
    first_seq: int
    last_seq: int
    rows: int

    @property
    def key(self) -> bytes:
        """The key in agent.archive: the newest intent of it supersedes all before."""
        return f"{self.log_id}/{self.topic}/{self.partition}".encode()

    @property
    def place(self) -> str:
        """What it is of, in words."""
        return f"{self.topic}/{self.partition} offsets {self.first_offset} to {self.last_offset}"

    def finished(self, position: int) -> "Intent":
        """The same, done, with all before `position` passed."""
        return replace(self, done=True, last_offset=max(self.last_offset, position - 1))

    def to_bytes(self) -> bytes:
        """The framed Avro record."""
        record = {**self.__dict__, "state": "done" if self.done else "pending"}
        del record["done"]
        return encode("intent", record)


def read_intent(value: bytes | None) -> Intent:
    """Read a framed record.

    Raises:
        Malformed: it is none.
    """
    record = decode(value, "intent")
    state = record.pop("state")
    if state not in ("pending", "done"):
        raise Malformed(f"an intent in state {state}, written by a newer archive")
    return Intent(**record, done=state == "done")


async def newest_intents(
    options: Options, ends: Ends, tp: TopicPartition, log_id: str, topics: Iterable[str]
) -> dict[str, Intent]:
    """Return each topic's newest intent in a partition of agent.archive, for those that have one.

    The caller has fenced every other writer of these intents. It reads backwards in growing windows and waits
    until no foreign transaction is open.

    Raises:
        PraetorError: a record is no intent.
    """
    end, first = await ends.stable_end(tp), await ends.beginning(tp)
    wanted = {f"{log_id}/{topic}/{tp.partition}".encode(): topic for topic in topics}
    found: dict[str, Intent] = {}
    start, size = end, WINDOW
    while start > first and len(found) < len(wanted):
        before, start = start, max(first, start - size)
        size *= 8
        window: dict[str, Intent] = {}
        async for records in read_partition(options, tp, start, before):
            for record in records:
                if record.key in wanted:
                    window[wanted[record.key]] = _intent_at(tp, record.offset, record.value)
        found = window | found
    return found


def _intent_at(tp: TopicPartition, offset: int, value: bytes | None) -> Intent:
    try:
        return read_intent(value)
    except Malformed as error:
        raise PraetorError(f"{tp.topic}/{tp.partition} offset {offset} is no intent: {error}") from error


async def commit_intents(producer: AIOKafkaProducer, topic: str, intents: Iterable[Intent]) -> None:
    """Write intents in one transaction, each to the partition of its source.

    Raises:
        aiokafka.errors.KafkaError: fenced, or nobody knows what became of it: discard the producer.
    """
    await producer.begin_transaction()
    sent = [
        await producer.send(topic, intent.to_bytes(), intent.key, partition=intent.partition)
        for intent in intents
    ]
    for ack in sent:
        await ack
    await producer.commit_transaction()
