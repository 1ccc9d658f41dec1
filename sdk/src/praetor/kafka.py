"""The transport: an idempotent Kafka producer that waits for all in-sync replicas (the extra `kafka`).

Source of what is relied on: aiokafka 0.12.0 and 0.14.0, producer/sender.py and message_accumulator.py: with
idempotence a batch is repeated, under its sequence number, until the broker answers; a batch that fails
leaves its partition without a usable sequence, so that the producer must be replaced.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

from praetor.buffer import Event
from praetor.errors import TransportMissing
from praetor.lane import Connection, TooLarge
from praetor.security import Security

try:
    import aiokafka
    from aiokafka import errors
    from aiokafka.helpers import create_ssl_context
    from aiokafka.partitioner import murmur2

    from praetor.reasons import NotTaken, explain, why_not
    from praetor.tokens import token_provider
except ModuleNotFoundError as missing:  # the extra is not installed
    raise TransportMissing(
        f"to send events, the Kafka client must be installed ({missing}): pip install 'praetor-sdk[kafka]'"
    ) from missing

BATCH_BYTES = 256 * 1024
FAILURES: tuple[type[BaseException], ...] = (NotTaken,)
RAISED = (errors.KafkaError, OSError, asyncio.TimeoutError)
TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)


def security_options(security: Security) -> dict[str, Any]:
    """TLS and login as AIOKafkaProducer takes them; certificates are read now.

    Raises:
        PraetorError: TLS files cannot be used, or the token's settings do not fit together.
    """
    # at debug it logs the bytes of logins
    logging.getLogger("aiokafka.conn").setLevel(logging.INFO)
    found = security.options(create_ssl_context)
    if security.sasl_mechanism == "OAUTHBEARER" and (tokens := token_provider(security)):
        found["sasl_oauth_token_provider"] = tokens
    return found


@dataclass(frozen=True)
class Kafka:
    """Where to send.

    Attributes:
        bootstrap: servers, `host:port[,host:port]`.
        topic: of the actions.
        client_id: shown in the broker's logs.
        request_timeout: seconds after which a request is repeated.
        options: more options of AIOKafkaProducer (TLS and login among them); they win.
    """

    bootstrap: str
    topic: str
    client_id: str
    request_timeout: float
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    async def connect(self) -> Connection:
        """A started producer; raises one of `FAILURES`."""
        chosen = {
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout * 1000),
            "max_batch_size": BATCH_BYTES,
            **self.options,
        }
        producer = aiokafka.AIOKafkaProducer(
            **{"bootstrap_servers": self.bootstrap, **chosen, "enable_idempotence": True}
        )
        # a partition without a leader would give its batch up after a request's timeout, though nobody
        # knows whether it arrived; waiting longer is what keeps it from being doubled
        producer._message_accumulator._batch_ttl = math.inf
        connection = Producer(producer, self.topic)
        try:
            await producer.start()
            connection.partitions = len(await producer.partitions_for(self.topic))
        except errors.KafkaConnectionError as error:
            await connection.close()
            raise await why_not(self.bootstrap, chosen) from error
        except RAISED as error:
            await connection.close()
            raise explain(error, self.topic) from error
        except BaseException:
            await connection.close()
            raise
        return connection


class Producer:
    """A connection of `Sender`."""

    def __init__(self, producer: Any, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self.partitions = 0

    def partition(self, key: bytes) -> int:
        """As Kafka's Java client chooses it (`murmur2_random`); the server checks it."""
        return int(murmur2(key) & 0x7FFFFFFF) % self.partitions

    async def send(self, partition: int, events: list[Event]) -> tuple[int, Awaitable[Any]]:
        """One batch, and a way to wait for its acknowledgement."""
        builder = self._producer.create_batch()
        count = 0
        for event in events:
            if builder.append(timestamp=None, key=event.agent.key, value=event.value) is None:
                break
            count += 1
        builder.close()
        try:
            arrival = await self._producer.send_batch(builder, self._topic, partition=partition)
        except RAISED as error:
            raise explain(error, self._topic) from error
        return count, self._arrived(arrival)

    async def close(self) -> None:
        """Leave at once."""
        try:
            await asyncio.wait_for(self._producer.stop(), 1)
        except RAISED:
            pass
        finally:
            self._producer._closed = True  # cut off on purpose: nothing to warn of
            await self._producer.client.close()

    async def _arrived(self, arrival: Awaitable[Any]) -> None:
        try:
            await arrival
        except TOO_LARGE as error:
            raise TooLarge(f"{type(error).__name__}: {error}") from error
        except RAISED as error:
            raise explain(error, self._topic) from error
