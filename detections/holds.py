"""What was found lately: the agent's `found` cell, so that a finding changes the verdicts that follow it.

A finding of a session is seen by later actions of that session, and by those that name no session; a finding
of an action without session by all of the agent. It is seen as long as its kind is held (`hold_seconds`), in
`received_at`. Kept only where rules ask for it. At most `MOST` are held: where there are more, those that end
first are given up. A session and a kind are known by 8 bytes of their name's SHA-256.
"""

import struct
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256

CELL = "found"
MOST = 42
"""1 + 42 * 24 bytes stay below a cell's 1 KB."""

_ENTRY = struct.Struct("<8s8sq")
_VERSION = 1
_NO_SESSION = bytes(8)

Entry = tuple[bytes, bytes, int]
"""The session, the kind, and from when on (milliseconds) it is held no more."""


class Holds:
    """Reads and writes the cell for the kinds of one bundle."""

    def __init__(self, bits: Mapping[str, int]) -> None:
        """Take each kind's bit, by name."""
        self._bits = {_kind(name): bit for name, bit in bits.items()}

    def recent(self, cell: bytes, session_id: str | None, received_at: int) -> tuple[int, bool]:
        """The bits of what is held for such an action, and whether anything is held at all.

        Raises:
            ValueError: it is no such cell.
        """
        found, live = 0, False
        own = _session(session_id)
        for session, kind, until in _entries(cell):
            if until > received_at:
                live = True
                if session in (own, _NO_SESSION) or session_id is None:
                    found |= self._bits.get(kind, 0)
        return found, live

    @staticmethod
    def add(
        cell: bytes | None, session_id: str | None, received_at: int, until: Iterable[tuple[str, int]]
    ) -> bytes:
        """The cell that also holds some kinds, each until its time.

        Raises:
            ValueError: it is no such cell.
        """
        own = _session(session_id)
        held = {(s, k): end for s, k, end in _entries(cell) if end > received_at} if cell else {}
        for name, end in until:
            key = (own, _kind(name))
            held[key] = max(end, held.get(key, end))
        kept = sorted((end, *key) for key, end in held.items())[-MOST:]
        return bytes([_VERSION]) + b"".join(_ENTRY.pack(s, k, end) for end, s, k in kept)


def _entries(cell: bytes) -> Iterable[Entry]:
    if cell[0] != _VERSION or (len(cell) - 1) % _ENTRY.size:
        raise ValueError(f"a cell of {len(cell)} bytes beginning {cell[:1].hex()} holds no findings")
    entries: Iterable[Entry] = _ENTRY.iter_unpack(cell[1:])
    return entries


@cache
def _kind(name: str) -> bytes:
    return sha256(name.encode()).digest()[:8]


def _session(session_id: str | None) -> bytes:
    return _NO_SESSION if session_id is None else sha256(session_id.encode()).digest()[:8]
