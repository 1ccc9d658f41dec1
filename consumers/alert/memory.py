"""What alerting remembers, as it stands in agent.alerts: open groups, and how far it has read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from pydantic import TypeAdapter, ValidationError

from consumers.alert.group import Group, from_json, to_json
from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, Options, read_partition
from schemas.codec import decode, encode

PROGRESS = b"\x00progress"
_OFFSETS = TypeAdapter(dict[str, int])

Offsets = dict[TopicPartition, int]


@dataclass
class Memory:
    """What was written down: groups by key, and the next offset of each partition."""

    groups: dict[str, Group] = field(default_factory=dict)
    offsets: Offsets = field(default_factory=dict)


async def read_memory(options: Options, ends: Ends, tp: TopicPartition, log_id: str) -> Memory:
    """Read it whole. The caller has fenced every other writer of it.

    Raises:
        PraetorError: a record in it is none of ours.
    """
    memory = Memory()
    start, end = await ends.beginning(tp), await ends.stable_end(tp)
    async for records in read_partition(options, tp, start, end):
        for record in records:
            try:
                _take(memory, record.key or b"", record.value, log_id)
            except (Malformed, ValidationError) as error:
                raise PraetorError(
                    f"{tp.topic} offset {record.offset} is no memory of ours: {error}"
                ) from error
    return memory


def _take(memory: Memory, key: bytes, value: bytes | None, log_id: str) -> None:
    if value is None:
        memory.groups.pop(key.decode(), None)
        return
    found = decode(value, "alert_state")
    if found["log_id"] != log_id:
        return
    if key == PROGRESS:
        offsets = _OFFSETS.validate_json(found["body"])
        memory.offsets = {_place(name): offset for name, offset in offsets.items()}
    else:
        memory.groups[found["key"]] = from_json(found["body"])


def _place(name: str) -> TopicPartition:
    topic, _, partition = name.rpartition("/")
    return TopicPartition(topic, int(partition))


def progress_record(offsets: Offsets, log_id: str) -> tuple[bytes, bytes]:
    """Key and value of how far it has read."""
    body = _OFFSETS.dump_json({f"{tp.topic}/{tp.partition}": offset for tp, offset in offsets.items()})
    return PROGRESS, encode("alert_state", {"log_id": log_id, "key": "", "body": body.decode()})


def group_records(changes: Mapping[str, Group | None], log_id: str) -> list[tuple[bytes, bytes | None]]:
    """Keys and values of groups that changed; one that is gone has no value."""
    return [
        (key.encode(), None if group is None else _framed(key, group, log_id))
        for key, group in changes.items()
    ]


def _framed(key: str, group: Group, log_id: str) -> bytes:
    return encode("alert_state", {"log_id": log_id, "key": key, "body": to_json(group)})
