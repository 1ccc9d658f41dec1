"""Starting Kafka's clients, and what they may see: failures become messages that say what to do.

Source of what is stated about aiokafka: its 0.14.0 code.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
    for_code,
)

from runtime.abandon import cut
from runtime.connections import closed_on_failure, install
from runtime.errors import PraetorError, Unavailable
from runtime.kafka_access import need_access
from runtime.kafka_errors import missing, refusal
from runtime.kafka_probe import why_not

Options = dict[str, Any]
Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient)

install()


class Reader(AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer without a group that stops at once."""

    _closed: bool

    async def stop(self) -> None:
        """Disconnect; what is under way is cut off."""
        if not self._closed:
            await cut(self)


async def started(client: Client, options: Options) -> Client:
    """Start a consumer, producer or admin client; one that does not start is stopped.

    Raises:
        Unavailable: no broker answers.
        PraetorError: the broker is not what the settings say, or refuses us; the message says what to do.
        aiokafka.errors.KafkaError: anything else that Kafka refuses.
    """
    stop = client.close if isinstance(client, AIOKafkaAdminClient) else client.stop
    try:
        with closed_on_failure():
            await client.start()
    except KafkaConnectionError as error:
        await stop()
        raise await why_not(options) from error
    except KafkaError as error:
        await stop()
        raise refusal(error, options) or error from error
    except BaseException:
        await stop()
        raise
    return client


async def partition_counts(options: Options, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each topic has that is to be read.

    Raises:
        PraetorError: topics are missing, or we may not read them; all are named.
        Unavailable: no broker answers.
    """
    names = list(topics)
    admin = await started(AIOKafkaAdminClient(**options), options)
    try:
        await need_access(admin, options, dict.fromkeys(names, ("Read",)))
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    absent = sorted(found["topic"] for found in described if found["error_code"])
    if absent:
        raise PraetorError(f"topics are missing: {', '.join(absent)}; make them: praetor topics create")
    return {found["topic"]: len(found["partitions"]) for found in described}


async def check_access(options: Options, needs: Mapping[str, Collection[str]]) -> None:
    """Check that we may do with each topic what is needed of it (see `need_access`).

    Raises:
        PraetorError: grants are missing; every one is named.
        Unavailable: no broker answers.
    """
    admin = await started(AIOKafkaAdminClient(**options), options)
    try:
        await need_access(admin, options, needs)
    finally:
        await admin.close()


async def group_members(options: Options, group: str) -> int:
    """How many members a consumer group has.

    Raises:
        PraetorError: we may not see the group.
        Unavailable: no broker answers, or none can tell now.
    """
    admin = await started(AIOKafkaAdminClient(**options), options)
    try:
        found = [one for reply in await admin.describe_consumer_groups([group]) for one in reply.groups]
        for code in (one[0] for one in found if one[0]):
            raise for_code(code)
    except GroupAuthorizationFailedError as error:
        raise missing(options, f"Describe on group {group}") from error
    except KafkaError as error:
        raise Unavailable(f"Kafka cannot tell who is in group {group}: {error!r}; try again") from error
    finally:
        await admin.close()
    return sum(len(one[5]) for one in found)


async def visible(consumer: AIOKafkaConsumer, options: Options, topic: str) -> None:
    """Return once the consumer knows the topic: asked before what, without leave, would try for ever.

    Raises:
        PraetorError: we may not see it.
        aiokafka.errors.UnknownTopicOrPartitionError: it is not there (after the request timeout, 40 s).
    """
    try:
        await consumer._client._wait_on_metadata(topic)
    except TopicAuthorizationFailedError as error:
        raise missing(options, f"Read on topic {topic}") from error
