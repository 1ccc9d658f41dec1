"""Another Kafka: a record an event, under the source record's key, on a topic of yours.

Addresses are checked before each connection, those that brokers advertise too.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from runtime.abandon import abandon
from runtime.connections import closed_on_failure
from runtime.errors import PraetorError, Unavailable
from sinks.encoding import Encoding
from sinks.http import Outbound
from sinks.outbound import Allowed, resolve
from sinks.secret import Secret
from sinks.sink import DELIVERED, Event, Outcome, Refused

TIMEOUT_MS = 15_000
LARGEST = 1 << 20
PERSON = (
    AuthenticationFailedError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)


class KafkaSettings(BaseModel):
    """The brokers, the topic (`{kind}` stands for the event's kind; it must exist), TLS and a login."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["kafka"]
    bootstrap: Annotated[str, Field(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")]
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._{}-]{1,240}$")]
    tls: bool = True
    username: str = ""
    password: Secret | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"

    @model_validator(mode="after")
    def _login(self) -> "KafkaSettings":
        if bool(self.username) != bool(self.password):
            raise PydanticCustomError("login", "name 'username' and 'password', or none")
        return self


class KafkaSink:
    """Writes idempotently, and waits until all in-sync replicas have a batch.

    Within a partition of yours, records of one key keep their order. The headers `praetor-id` and
    `praetor-kind` say what a record is: one that is sent again after a crash stands there again.
    """

    def __init__(self, settings: KafkaSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: the password is not there.
        """
        self._settings = settings
        self._encoding = encoding
        self._outbound = outbound
        self._producer: AIOKafkaProducer | None = None
        if settings.password:
            settings.password.read("kafka's password")

    async def open(self) -> None:
        """Connect.

        Raises:
            Unavailable: no broker answers.
            PraetorError: it does not let us in, or an address may not be spoken to.
        """
        await self.close()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap,
            client_id="praetor-forward",
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            request_timeout_ms=TIMEOUT_MS,
            max_request_size=LARGEST,
            **self._security(),
        )
        _check_connections(producer.client, self._outbound.allowed)
        try:
            for host, port in _hosts(self._settings.bootstrap):
                await resolve(host, port, self._outbound.allowed)
            with closed_on_failure():
                await producer.start()
        except KafkaError as error:
            await producer.stop()
            await self._look_at_certificate()
            raise _explained(error) from error
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def _look_at_certificate(self) -> None:
        """Aiokafka only says that it could not connect.

        Raises:
            PraetorError: a broker's certificate is not trusted.
        """
        if not self._settings.tls:
            return
        for host, port in _hosts(self._settings.bootstrap):
            try:
                async with asyncio.timeout(TIMEOUT_MS / 1000):
                    _, writer = await asyncio.open_connection(host, port, ssl=self._outbound.context)
                writer.close()
            except ssl.SSLCertVerificationError as error:
                raise PraetorError(f"its certificate is not trusted: {error.verify_message}") from error
            except OSError:
                continue

    def _security(self) -> dict[str, Any]:
        tls, password = self._settings.tls, self._settings.password
        protocol = ("SASL_" if password else "") + ("SSL" if tls else "PLAINTEXT")
        options: dict[str, Any] = {"security_protocol": protocol}
        if tls:
            options["ssl_context"] = self._outbound.context
        if password:
            options |= {
                "sasl_mechanism": self._settings.mechanism,
                "sasl_plain_username": self._settings.username,
                "sasl_plain_password": password.read("kafka's password"),
            }
        return options

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Write a batch.

        Raises:
            Unavailable: what became of it is not known; the producer is given up, and a new one made.
            Refused: an event is larger than the topic takes.
            PraetorError: as `open`; or the topic is not there.
        """
        if self._producer is None:
            await self.open()
        producer = self._producer
        if producer is None:
            raise Unavailable("not connected")
        for broker in producer.client.cluster.brokers():
            await resolve(broker.host, broker.port, self._outbound.allowed)
        try:
            async with asyncio.timeout(2 * TIMEOUT_MS / 1000):
                sent = [await self._send(producer, event) for event in events]
                await asyncio.gather(*sent)
        except MessageSizeTooLargeError as error:
            raise Refused(f"too large: {error}") from error
        except (KafkaError, TimeoutError) as error:
            await self.close()
            raise _explained(error) from error
        except asyncio.CancelledError:
            await self.close()
            raise
        return DELIVERED

    async def _send(self, producer: AIOKafkaProducer, event: Event) -> Any:
        return await producer.send(
            self._settings.topic.format(kind=event.kind),
            self._encoding.line(event),
            key=event.key,
            headers=[("praetor-id", event.id.encode()), ("praetor-kind", event.kind.encode())],
        )

    async def close(self) -> None:
        """Disconnect; nothing raises. What was not acknowledged is sent again by whoever asks for it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)


def _hosts(bootstrap: str) -> list[tuple[str, int]]:
    pairs = (server.rpartition(":") for server in bootstrap.split(","))
    return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def _check_connections(client: Any, allowed: Allowed) -> None:
    """Have the client check an address before it connects there; aiokafka 0.14 has no option for it."""
    connect = client._get_conn

    async def checked(node_id: Any, **more: Any) -> Any:
        broker = client.cluster.broker_metadata(node_id)
        if broker is not None:
            try:
                await resolve(broker.host, broker.port, allowed)
            except (PraetorError, Unavailable):
                return None  # as where nothing answers; whoever writes tells why
        return await connect(node_id, **more)

    client._get_conn = checked


def _explained(error: Exception) -> PraetorError | Unavailable:
    told = f"kafka: {type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, PERSON):
        return PraetorError(f"{told}: check the topic and the login")
    return Unavailable(told)
