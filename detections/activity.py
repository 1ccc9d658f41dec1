"""The agent's activity cell: how much it has done and when, and what it used. Judgement keeps it.

It has 32 bytes, and 16 more from the first action that used models, where a detector of the bundle asks what
was used (`detections.detector.Metering`): tokens, and billionths of a dollar.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from schemas.usage import LARGEST, Used

CELL = "activity"

_LAYOUT = struct.Struct("<QQqq")
_METERED = struct.Struct("<QQqqQQ")
_unpack, _pack = _LAYOUT.unpack, _LAYOUT.pack
_unpack_metered, _pack_metered = _METERED.unpack, _METERED.pack
_used = struct.Struct("<QQ").unpack_from
CELL_BYTES, METERED_BYTES = _LAYOUT.size, _METERED.size


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
    if len(cell) == METERED_BYTES:
        return Activity(*_unpack_metered(cell)[:4])
    return Activity(*_unpack(cell))


counted: Callable[[bytes], tuple[int, int]] = struct.Struct("<Q16xq").unpack_from
"""How many actions, and when the last was: what is asked before every action, so cheaper than all of it.

Raises struct.error where the cell is too short.
"""


def used_before(cell: bytes | None) -> tuple[int, int]:
    """Tokens and billionths of a dollar that the agent used in all actions that were counted."""
    if not cell or len(cell) != METERED_BYTES:
        return 0, 0
    tokens, cost = _used(cell, CELL_BYTES)
    return tokens, cost


def count_action(cell: bytes | None, received_at: int, denied: bool, used: Used | None = None) -> bytes:
    """The cell after one more action; `cell` is None or empty for a new agent.

    Args:
        cell: as it was.
        received_at: the action's, in milliseconds.
        denied: whether it was denied.
        used: what it uses; None: nobody asks.

    Raises:
        struct.error: the cell is none of ours.
    """
    tokens = cost = 0
    if not cell:
        actions, denials, first = 0, 0, received_at
    elif len(cell) == METERED_BYTES:
        actions, denials, first, _, tokens, cost = _unpack_metered(cell)
    else:
        actions, denials, first, _ = _unpack(cell)
    if used is not None:
        tokens, cost = min(tokens + used.tokens, LARGEST), min(cost + used.cost, LARGEST)
    if tokens or cost:
        return _pack_metered(actions + 1, denials + denied, first, received_at, tokens, cost)
    return _pack(actions + 1, denials + denied, first, received_at)
