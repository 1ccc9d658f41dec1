"""The agent's activity cell: how much it has done, and when. Judgement keeps it; 32 bytes."""

import struct
from typing import NamedTuple

CELL = "activity"

_LAYOUT = struct.Struct("<QQqq")
_unpack = _LAYOUT.unpack
_pack = _LAYOUT.pack
_counted = struct.Struct("<Q16xq").unpack
CELL_BYTES = _LAYOUT.size


class Activity(NamedTuple):
    """What an agent has done since its first action under this log.

    Attributes:
        actions: all judged actions, this one included.
        denials: those of them whose effect was deny.
        first_received_at: milliseconds, of the first.
        last_received_at: milliseconds, of the last.
    """

    actions: int
    denials: int
    first_received_at: int
    last_received_at: int


def read_activity(cell: bytes) -> Activity:
    """Read a cell.

    Raises:
        struct.error: it is no activity cell.
    """
    return Activity(*_unpack(cell))


def counted(cell: bytes) -> tuple[int, int]:
    """How many actions, and when the last was: what is asked before every action, so cheaper than all of it.

    Raises:
        struct.error: it is no activity cell.
    """
    actions, last_received_at = _counted(cell)
    return actions, last_received_at


def count_action(cell: bytes | None, received_at: int, denied: bool) -> bytes:
    """The cell after one more action; `cell` is None or empty for a new agent.

    Raises:
        struct.error: the cell is none of ours.
    """
    if not cell:
        return _pack(1, denied, received_at, received_at)
    actions, denials, first, _ = _unpack(cell)
    return _pack(actions + 1, denials + denied, first, received_at)
