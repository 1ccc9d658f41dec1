"""Reads agent.control for the commands that only fold it: nothing is compiled."""

from collections.abc import AsyncGenerator

from aiokafka import ConsumerRecord, TopicPartition

from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, check_access, common_options, read_partition
from runtime.settings import Settings
from schemas.topics import CONTROL
from streams.control_view import ControlView
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import read_policy_keys, read_verify_keys

PARTITION = TopicPartition(CONTROL.name, 0)


def empty_view(settings: Settings) -> ControlView:
    """A view that believes the keys of the settings."""
    return ControlView(read_verify_keys(settings.keys, CONTROL_ROLE), read_policy_keys(settings.keys))


async def control_records(options: Options) -> AsyncGenerator[ConsumerRecord, None]:
    """Every record of agent.control, up to its end as it is now."""
    await check_access(options, {CONTROL.name: ("Read",)})
    ends = Ends(options)
    await ends.start()
    try:
        start, end = await ends.beginning(PARTITION), await ends.high_watermark(PARTITION)
    finally:
        await ends.stop()
    async for records in read_partition(options, PARTITION, start, end, "read_uncommitted"):
        for record in records:
            yield record


async def read_orders(settings: Settings) -> ControlView:
    """The view with all records folded, without its bundles: what stands, and the log.

    Raises:
        PraetorError: the topic is missing or may not be read, or holds no log, or an order that this version
            does not know.
    """
    view = empty_view(settings)
    async for record in control_records(common_options(settings)):
        await view.fold(record.offset, record.value)
    if view.newer:
        raise PraetorError(view.newer)
    if not view.log_id:
        raise PraetorError(
            f"{CONTROL.name} holds no log order that the given keys believe: run `praetor topics create`, or"
            " name the right keys by PRAETOR_KEYS_DIR"
        )
    return view
