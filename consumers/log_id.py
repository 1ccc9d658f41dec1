"""Which log this is: the first order of kind `log` on agent.control."""

import json

from aiokafka import TopicPartition

from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, Options, read_partition
from schemas.codec import decode
from schemas.topics import CONTROL


async def read_log_id(options: Options, ends: Ends) -> str:
    """Return the log id that `praetor topics create` minted.

    Not promised: that the order's signature holds. govern checks it, and every archived record is checked to
    be of this log.

    Raises:
        PraetorError: there is none.
        Unavailable: no broker answers.
    """
    tp = TopicPartition(CONTROL.name, 0)
    # as appended, like govern (docs/adr/0004): else anyone's open transaction would hold this up
    start, end = await ends.beginning(tp), await ends.high_watermark(tp)
    async for records in read_partition(options, tp, start, end, "read_uncommitted"):
        for record in records:
            log_id = _minted(record.value)
            if log_id:
                return log_id
    raise PraetorError(f"{CONTROL.name} names no log: make one with `praetor topics create`")


def _minted(value: bytes | None) -> str:
    try:
        order = decode(value, "control_record")
        payload = json.loads(order["payload"]) if order["kind"] == "log" else {}
    except (Malformed, ValueError):
        return ""
    found = payload.get("log_id", "") if isinstance(payload, dict) else ""
    return found if isinstance(found, str) else ""
