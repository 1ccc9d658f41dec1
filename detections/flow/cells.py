"""What flow remembers: what was asked in each session, and which directives were read; cells of 1 KB at most.

The last `SESSIONS` sessions that had a prompt are remembered, each with so many words and values. Of
directives `ENTRIES` are, over all sessions: where there are more, one of another session gives way first,
then the weakest. Texts are not kept, only checksums and places.
"""

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from detections.flow.asked import Asked
from detections.flow.directive import MOST_VALUES, MOST_WORDS
from detections.flow.signs import Held

SESSIONS = 4
ASKED_CELLS = tuple(f"flow.asked.{i}" for i in range(SESSIONS))
MOST_ASKED_WORDS, MOST_ASKED_VALUES = 320, 80
TOLD_CELLS = tuple(f"flow.told.{i}" for i in range(4))
PER_CELL = 7
ENTRIES = PER_CELL * len(TOLD_CELLS)

_ASKED = struct.Struct("<BIqHBHB")
_ENTRY = struct.Struct("<I16sIIhHBBB")
_VERSION = 1


class Session(NamedTuple):
    """What was asked in a session, as its cell has it; `at`: when last (milliseconds)."""

    session: int
    at: int
    asked: Asked


class Told(NamedTuple):
    """A directive as its cell has it: the session, the result's event id and the place in its content."""

    session: int
    event: bytes
    start: int
    end: int
    held: Held


def read_asked(cell: bytes) -> Session:
    """Read a cell of `ASKED_CELLS`.

    Raises:
        ValueError, struct.error: it is none.
    """
    version, session, at, doings, delegates, words, values = _ASKED.unpack_from(cell)
    if version != _VERSION:
        raise ValueError(f"an asked cell of version {version}")
    sums = struct.unpack_from(f"<{words}H{values}I", cell, _ASKED.size)
    return Session(
        session, at, Asked(doings, bool(delegates), frozenset(sums[:words]), frozenset(sums[words:]))
    )


def write_asked(session: Session) -> bytes:
    """The cell of a session; of too many words and values the largest checksums are left out."""
    asked = session.asked
    words = sorted(asked.words)[:MOST_ASKED_WORDS]
    values = sorted(asked.values)[:MOST_ASKED_VALUES]
    head = _ASKED.pack(
        _VERSION, session.session, session.at, asked.doings, asked.delegates, len(words), len(values)
    )
    return head + struct.pack(f"<{len(words)}H{len(values)}I", *words, *values)


@lru_cache(maxsize=4096)
def read_told(cell: bytes) -> tuple[Told, ...]:
    """Read a cell of `TOLD_CELLS`.

    Raises:
        ValueError, struct.error: it is none.
    """
    if cell[0] != _VERSION:
        raise ValueError(f"a told cell of version {cell[0]}")
    entries = []
    at = 1
    while at < len(cell):
        session, event, start, end, strength, doings, flags, words, values = _ENTRY.unpack_from(cell, at)
        at += _ENTRY.size
        sums = struct.unpack_from(f"<{words}H{values}I", cell, at)
        at += 2 * words + 4 * values
        held = Held(
            strength,
            doings,
            frozenset(sums[:words]),
            frozenset(sums[words:]),
            bool(flags & 1),
            bool(flags & 2),
        )
        entries.append(Told(session, event, start, end, held))
    return tuple(entries)


def write_told(entries: Iterable[Told]) -> bytes:
    """The cell of at most `PER_CELL` directives; empty for none."""
    packed = [_packed(entry) for entry in entries]
    return bytes([_VERSION]) + b"".join(packed) if packed else b""


def _packed(told: Told) -> bytes:
    held = told.held
    words, values = sorted(held.words)[:MOST_WORDS], sorted(held.values)[:MOST_VALUES]
    strength = max(-(1 << 15), min((1 << 15) - 1, held.strength))
    head = _ENTRY.pack(
        told.session, told.event, told.start, told.end, strength, held.doings,
        held.is_named | held.is_pursued << 1, len(words), len(values),
    )  # fmt: skip
    return head + struct.pack(f"<{len(words)}H{len(values)}I", *words, *values)
