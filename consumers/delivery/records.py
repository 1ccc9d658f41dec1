"""What delivering itself writes to Kafka: receipts of what was taken, and what is kept aside."""

from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from runtime.abandon import abandon
from runtime.kafka import Options, started
from schemas.codec import encode
from schemas.topics import DELIVERIES, UNDELIVERED, Topic, topic_name
from sinks.sink import Event

LINGER_MS = 5


@dataclass(frozen=True)
class Receipt:
    """What a destination has taken of the records of one partition between two offsets, both included.

    `skipped`: records that retention had removed before the destination had them, and that a person let it go
    on without; everything else is 0 then.
    """

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    events: int
    filtered: int
    kept_aside: int
    tries: int
    milliseconds: int
    skipped: int = 0


class DeliveryLog:
    """Writes receipts and kept records of one destination; a record is written when the call returns.

    An idempotent producer without transactions: after a crash a receipt may stand twice, as its events may
    have been sent twice. A kept record has destination and id as its key, so that it is kept once.
    """

    def __init__(self, options: Options, log_id: str, destination: str, prefix: str) -> None:
        self._options = options
        self._log_id = log_id
        self._destination = destination
        self._prefix = prefix
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Connect.

        Raises:
            Unavailable: no broker answers.
        """
        producer = AIOKafkaProducer(
            **self._options, enable_idempotence=True, acks="all", linger_ms=LINGER_MS, compression_type="lz4"
        )
        self._producer = await started(producer, self._options)

    async def receipt(self, receipt: Receipt) -> None:
        """Write a receipt."""
        fields = {**receipt.__dict__, "log_id": self._log_id, "destination": self._destination}
        key = skip_key(self._destination) if receipt.skipped else self._destination.encode()
        await self._write(DELIVERIES, receipt.partition, key, encode("delivery", fields))

    async def keep(self, event: Event, value: bytes | None, reason: str, tries: int) -> None:
        """Keep an event aside, with its record as it stands in Kafka."""
        await self._mark(event, "kept", value, reason, tries)

    async def delivered(self, event: Event, tries: int) -> None:
        """Say that a kept event was delivered after all."""
        await self._mark(event, "delivered", None, "", tries)

    async def _mark(self, event: Event, state: str, value: bytes | None, reason: str, tries: int) -> None:
        fields = {
            "log_id": self._log_id,
            "partition": event.partition,
            "destination": self._destination,
            "state": state,
            "kind": event.kind,
            "id": event.id,
            "topic": event.topic,
            "source_offset": event.offset,
            "tries": tries,
            "reason": reason[:4096],
            "key": event.key,
            "value": value,
        }
        key = f"{self._destination}/{event.id}".encode()
        await self._write(UNDELIVERED, event.partition, key, encode("undelivered", fields))

    async def _write(self, topic: Topic, partition: int, key: bytes, value: bytes) -> None:
        if self._producer is None:
            raise RuntimeError("open was not called")
        name = topic_name(topic, self._prefix)
        await self._producer.send_and_wait(name, value, key=key, partition=partition)

    async def close(self) -> None:
        """Disconnect; nothing raises."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)


def skip_key(destination: str) -> bytes:
    """The key of a receipt of records that are passed over: an order, found without decoding all others."""
    return f"skip/{destination}".encode()
