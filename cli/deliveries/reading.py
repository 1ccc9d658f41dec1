"""Reads agent.undelivered: what destinations refused, and have not had since."""

from aiokafka import TopicPartition

from consumers.delivery.events import event_of
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, common_options, partition_counts, read_partition
from runtime.settings import Settings
from schemas.codec import Record, decode
from schemas.topics import UNDELIVERED, topic_name
from sinks.sink import Event


async def read_kept(settings: Settings) -> list[Record]:
    """What is kept aside, in the order of destinations and ids.

    Raises:
        PraetorError: the topic is missing, or a record in it is none of ours.
        Unavailable: no broker answers.
    """
    options = common_options(settings)
    topic = topic_name(UNDELIVERED, settings.topic_prefix)
    counts = await partition_counts(options, [topic])
    ends = Ends(options)
    await ends.start()
    kept: dict[tuple[str, str], Record] = {}
    try:
        for partition in range(counts[topic]):
            await _fold(options, ends, TopicPartition(topic, partition), kept)
    finally:
        await ends.stop()
    return [kept[key] for key in sorted(kept)]


async def _fold(
    options: Options, ends: Ends, tp: TopicPartition, kept: dict[tuple[str, str], Record]
) -> None:
    start, end = await ends.beginning(tp), await ends.stable_end(tp)
    async for records in read_partition(options, tp, start, end):
        for record in records:
            found = decode(record.value, "undelivered")
            key = (found["destination"], found["id"])
            if found["state"] == "kept":
                kept[key] = found
            else:
                kept.pop(key, None)


def chosen(kept: list[Record], destination: str | None, ids: list[str] | None) -> list[Record]:
    """Those of a destination, and of these ids.

    Raises:
        PraetorError: an id is not among them.
    """
    found = [r for r in kept if destination in (None, r["destination"])]
    if not ids:
        return found
    missing = sorted(set(ids) - {r["id"] for r in found})
    if missing:
        raise PraetorError(
            f"nothing is kept under {', '.join(missing)}: `praetor deliveries list` names what is"
        )
    return [r for r in found if r["id"] in ids]


class _Kept:
    """A kept record as it was consumed."""

    def __init__(self, kept: Record) -> None:
        self.topic: str = kept["topic"]
        self.partition: int = kept["partition"]
        self.offset: int = kept["source_offset"]
        self.key: bytes | None = kept["key"]
        self.value: bytes | None = kept["value"]


def event_of_kept(kept: Record) -> Event:
    """The event as it was to be delivered.

    Raises:
        Malformed: this version does not read it.
    """
    return event_of(_Kept(kept))
