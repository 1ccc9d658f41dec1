"""Reads agent.incidents: each incident as it was told last."""

from aiokafka import TopicPartition

from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, check_access, common_options, partition_counts, read_partition
from runtime.settings import Settings
from schemas.codec import Record, decode
from schemas.topics import INCIDENTS, topic_name


async def read_incidents(settings: Settings) -> list[Record]:
    """Every incident that the topic holds, as its newest record says, the newest first.

    Raises:
        PraetorError: the topic is missing, or may not be read.
        Unavailable: no broker answers.
    """
    options, name = common_options(settings), topic_name(INCIDENTS, settings.topic_prefix)
    await check_access(options, {name: ("Read",)})
    count = (await partition_counts(options, [name]))[name]
    ends, found = Ends(options), dict[str, Record]()
    await ends.start()
    try:
        for p in range(count):
            tp = TopicPartition(name, p)
            start, end = await ends.beginning(tp), await ends.last_stable(tp)
            async for records in read_partition(options, tp, start, end):
                for record in records:
                    try:
                        incident = decode(record.value, "incident")
                    except Malformed:
                        continue
                    found[incident["incident_id"]] = incident
    finally:
        await ends.stop()
    return sorted(found.values(), key=lambda one: -int(one["updated_at"]))


def find(incidents: list[Record], begins: str) -> Record:
    """The one incident whose id begins so.

    Raises:
        PraetorError: none, or several.
    """
    found = [one for one in incidents if one["incident_id"].startswith(begins)]
    exact = [one for one in found if one["incident_id"] == begins]
    if exact:
        return exact[0]
    if len(found) != 1:
        how = "no incident begins so" if not found else f"{len(found)} incidents begin so"
        raise PraetorError(f"{begins!r}: {how}; `praetor incident list` names them")
    return found[0]
