"""Where destinations stand, by what their groups have committed."""

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from runtime.kafka import Options, group_members, started


async def committed(options: Options, group: str) -> dict[TopicPartition, int]:
    """The offsets that a group has committed, in the order of topics and partitions.

    Raises:
        Unavailable: no broker answers.
        PraetorError: we may not see the group.
        KafkaError: it refuses.
    """
    # aiokafka 0.14 takes "you may not see it" for "nothing is committed"
    await group_members(options, group)
    admin = await started(AIOKafkaAdminClient(**options), options)
    try:
        found = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {tp: at.offset for tp, at in sorted(found.items()) if at.offset >= 0}
