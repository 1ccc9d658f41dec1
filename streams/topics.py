"""Creates and shows the topics, and mints the log: keys, log id, each partition's first progress record."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from ledger.keys import SigningKey
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, check_access, read_partition, started
from runtime.kafka_errors import missing as missing_grants
from schemas.access import topic_needs
from schemas.topics import ACTIONS, CONTROL, DECISIONS, STATE, TOPICS, Topic, topic_name
from streams.control import read_view
from streams.control_view import ControlView
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import LEDGER, create_key, read_signing_key, read_verify_keys
from streams.orders import Order, sign_order
from streams.progress import PROGRESS_KEY, Progress


@dataclass(frozen=True)
class Wanted:
    """What is asked for: how many partitions, replicas, and the prefix of the outputs."""

    partitions: int
    replicas: int = 1
    prefix: str = ""


async def existing_topics(options: Options) -> dict[str, int]:
    """The broker's topics and their partition counts."""
    admin = await _admin(options)
    try:
        described = await admin.describe_topics(await admin.list_topics())
    finally:
        await admin.close()
    return {str(t["topic"]): len(t["partitions"]) for t in described}


async def _admin(options: Options) -> AIOKafkaAdminClient:
    return await started(AIOKafkaAdminClient(**options), options)


async def create_topics(options: Options, wanted: Wanted) -> list[str]:
    """Create what is missing; return the names created.

    Raises:
        PraetorError: the broker refuses, or a topic is there with another partition count.
    """
    there = await existing_topics(options)
    _check_counts(there, wanted)
    missing = [t for t in TOPICS if topic_name(t, wanted.prefix) not in there]
    admin = await _admin(options)
    try:
        reply = await admin.create_topics([_new_topic(t, wanted) for t in missing])
    finally:
        await admin.close()
    refused = [e[0] for e in reply.topic_errors if for_code(e[1]) is TopicAuthorizationFailedError]
    if refused:
        raise missing_grants(options, *(f"Create on topic {name}" for name in sorted(refused)))
    for name, code, *message in reply.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise PraetorError(
                f"the broker did not create topic {name}: {message or for_code(code).__name__}"
            )
    return [topic_name(t, wanted.prefix) for t in missing]


def _check_counts(there: dict[str, int], wanted: Wanted) -> None:
    for topic in TOPICS:
        name, count = topic_name(topic, wanted.prefix), 1 if topic.single else wanted.partitions
        if there.get(name, count) != count:
            raise PraetorError(
                f"topic {name} has {there[name]} partitions, not {count}: a log's partition count is frozen; "
                "growing is a new log"
            )


async def check_topics(options: Options, view: ControlView, prefix: str) -> None:
    """Check that the topics that govern uses are there, with the log's partition count, and may be used.

    Raises:
        PraetorError: one is missing, has another count, or may not be used as it must be.
        Unavailable: no broker answers.
    """
    needs = topic_needs("govern", prefix)
    await check_access(options, needs)
    there = await existing_topics(options)
    missing = sorted(set(needs) - set(there))
    if missing:
        raise PraetorError(f"topics are missing: {', '.join(missing)}; make them: praetor topics create")
    _check_counts(there, Wanted(view.partitions, prefix=prefix))


def _new_topic(topic: Topic, wanted: Wanted) -> NewTopic:
    return NewTopic(
        name=topic_name(topic, wanted.prefix),
        num_partitions=1 if topic.single else wanted.partitions,
        replication_factor=wanted.replicas,
        topic_configs=topic.config,
    )


async def topic_settings(options: Options, names: list[str]) -> dict[str, dict[str, str]]:
    """The settings in force of some topics."""
    admin = await _admin(options)
    try:
        replies = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in names])
    finally:
        await admin.close()
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for reply in replies
        for resource in reply.resources
    }


async def mint_log(options: Options, keys: Path, partitions: int, now_ms: int) -> ControlView:
    """Return the log's view; mint the log where agent.control is empty, with new keys if there are none.

    Raises:
        PraetorError: agent.control holds records that the keys given do not believe.
    """
    ends = Ends(options)
    await ends.start()
    try:
        empty = await ends.high_watermark(TopicPartition(CONTROL.name, 0)) == 0
    finally:
        await ends.stop()
    if empty:
        log_id = f"praetor-{secrets.token_hex(6)}"
        key = _own_key(keys, CONTROL_ROLE, log_id)
        if not (keys / f"{LEDGER}.pub").exists():  # a command's, where the secret stays elsewhere
            _own_key(keys, LEDGER, log_id)
        payload = f'{{"log_id":"{log_id}","partitions":{partitions}}}'.encode()
        await publish_order(options, Order(log_id, "log", key.name, now_ms, payload), key)
    view = await read_view(options, read_verify_keys(keys, CONTROL_ROLE))
    if view.partitions != partitions:
        raise PraetorError(f"log {view.log_id} has {view.partitions} partitions, not {partitions}")
    return view


def _own_key(folder: Path, role: str, log_id: str) -> SigningKey:
    if (folder / f"{role}.key").exists():
        return read_signing_key(folder, role)
    return create_key(folder, role, log_id)


async def publish_order(options: Options, order: Order, key: SigningKey) -> int:
    """Write a signed order; return its offset on agent.control.

    Raises:
        PraetorError: we may not write there.
    """
    return await publish_orders(options, [order], key)


async def publish_orders(options: Options, orders: Sequence[Order], key: SigningKey) -> int:
    """Write signed orders, one after the other; return the last one's offset on agent.control.

    Raises:
        PraetorError: we may not write there.
    """
    await check_access(options, {CONTROL.name: ("Write",)})
    offset = -1
    producer = await started(
        AIOKafkaProducer(**options, enable_idempotence=True, max_request_size=8 << 20), options
    )
    try:
        for order in orders:
            sent = await producer.send_and_wait(CONTROL.name, sign_order(order, key), partition=0)
            offset = int(sent.offset)
    finally:
        await producer.stop()
    return offset


async def write_genesis(options: Options, view: ControlView, prefix: str) -> list[int]:
    """Give each partition that has none its first progress record; return which got one.

    Raises:
        PraetorError: a partition has no progress but decisions: its state was lost.
    """
    ends = Ends(options)
    await ends.start()
    producer = await started(AIOKafkaProducer(**options, enable_idempotence=True), options)
    written: list[int] = []
    try:
        for p in range(view.partitions):
            state = TopicPartition(topic_name(STATE, prefix), p)
            if await _has_progress(options, ends, state):
                continue
            decided = await ends.high_watermark(TopicPartition(topic_name(DECISIONS, prefix), p))
            if decided:
                raise PraetorError(
                    f"{state.topic}/{p} holds no progress record, but decisions were made: state was lost"
                )
            start = await ends.beginning(TopicPartition(ACTIONS.name, p))
            first = Progress(view.log_id, next_source_offset=start).to_bytes()
            await producer.send_and_wait(state.topic, first, key=PROGRESS_KEY, partition=p)
            written.append(p)
    finally:
        await producer.stop()
        await ends.stop()
    return written


async def _has_progress(options: Options, ends: Ends, state: TopicPartition) -> bool:
    start, end = await ends.beginning(state), await ends.stable_end(state)
    async for records in read_partition(options, state, start, end):
        if any(r.key == PROGRESS_KEY for r in records):
            return True
    return False
