"""The agent's sessions cell: how much was done in each of its newest sessions. Kept only where rules ask.

At most `MOST` sessions, the last used last; the one unused for longest is forgotten, and begins anew should
it come back. A session is known by 8 bytes of its id's SHA-256.
"""

import struct
from hashlib import sha256
from typing import NamedTuple

CELL = "sessions"
MOST = 31
"""1 + 31 * 32 bytes stay below a cell's 1 KB."""

_ENTRY = struct.Struct("<8sIIqq")
_VERSION = 1
_LARGEST = 2**32 - 1


class Session(NamedTuple):
    """What was done in a session: counts and times in milliseconds, as in `Activity`."""

    actions: int
    denials: int
    first_received_at: int
    last_received_at: int


def _key(session_id: str | None) -> bytes:
    return sha256((session_id or "").encode()).digest()[:8]


def _entries(cell: bytes | None) -> list[tuple[bytes, int, int, int, int]]:
    if not cell:
        return []
    if cell[0] != _VERSION or (len(cell) - 1) % _ENTRY.size:
        raise ValueError(f"a cell of {len(cell)} bytes beginning {cell[:1].hex()} holds no sessions")
    return list(_ENTRY.iter_unpack(cell[1:]))


def read_session(cell: bytes | None, session_id: str | None) -> Session | None:
    """What the cell knows of a session; None where it has none of it.

    Raises:
        ValueError: it is no sessions cell.
    """
    key = _key(session_id)
    return next((Session(*rest) for name, *rest in _entries(cell) if name == key), None)


def count_session(cell: bytes | None, session_id: str | None, received_at: int, denied: bool) -> bytes:
    """The cell after one more action of a session.

    Raises:
        ValueError: it is no sessions cell.
    """
    key = _key(session_id)
    entries = _entries(cell)
    found = next((e for e in entries if e[0] == key), (key, 0, 0, received_at, received_at))
    kept = [e for e in entries if e[0] != key][-(MOST - 1) :]
    _, actions, denials, first, _ = found
    kept.append((key, min(actions + 1, _LARGEST), min(denials + denied, _LARGEST), first, received_at))
    return bytes([_VERSION]) + b"".join(_ENTRY.pack(*entry) for entry in kept)
