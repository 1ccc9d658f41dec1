"""What an agent was offered: one entry for each tool of a server, in 16 cells by checksum.

An entry tells which tool (6 bytes of a SHA-256), of which server (2 bytes), how it was described (8 bytes of
a SHA-256), and the first 60 bytes of its name. A cell that is full forgets the entry that was new or
changed longest ago.
"""

import json
import struct
from hashlib import sha256
from typing import NamedTuple

from detections.detector import Cells

CELLS = tuple(f"tools.{i:x}" for i in range(16))
CHANGED = "tools.changed"
MOST_BYTES = 1000
_VERSION = 1
_ENTRY = struct.Struct("<6s2s8sB")
_CHANGE = struct.Struct("<6sq")
_NAME = 60
MOST_CHANGES = 40


class Offer(NamedTuple):
    """A tool as it was offered: `name` is cut to 60 bytes."""

    key: bytes
    server: bytes
    digest: bytes
    name: str

    @property
    def cell(self) -> str:
        """The name of the cell that it belongs to."""
        return CELLS[self.key[0] & 15]


def offer_of(tool: str, server: str | None, definition: str) -> Offer:
    """An offer; a definition that is JSON counts as the same however it is written."""
    try:
        same = json.dumps(json.loads(definition), sort_keys=True)
    except (ValueError, RecursionError):
        same = " ".join(definition.split())
    digest = sha256(same.encode("utf-8", "surrogatepass")).digest()[:8]
    name = tool.encode()[:_NAME].decode("utf-8", "ignore")
    return Offer(key_of(tool, server), sha256((server or "").encode()).digest()[:2], digest, name)


def key_of(tool: str, server: str | None) -> bytes:
    """Which tool of which server."""
    return sha256(f"{server or ''}\0{tool}".encode()).digest()[:6]


def read(cell: bytes | None) -> list[Offer]:
    """The offers in a cell, the one that changed last at the end.

    Raises:
        ValueError, struct.error: it is no cell of offers.
    """
    if not cell:
        return []
    if cell[0] != _VERSION:
        raise ValueError(f"a cell of offers of version {cell[0]}")
    offers, at = [], 1
    while at < len(cell):
        key, server, digest, length = _ENTRY.unpack_from(cell, at)
        at += _ENTRY.size + length
        offers.append(Offer(key, server, digest, cell[at - length : at].decode()))
    return offers


def write(offers: list[Offer]) -> bytes:
    """A cell of the newest of some offers, as many as fit."""
    parts: list[bytes] = []
    room = MOST_BYTES
    for offer in reversed(offers):
        name = offer.name.encode()
        part = _ENTRY.pack(offer.key, offer.server, offer.digest, len(name)) + name
        room -= len(part)
        if room < 0:
            break
        parts.append(part)
    return bytes([_VERSION]) + b"".join(reversed(parts))


def all_of(cells: Cells) -> list[Offer]:
    """Every offer that is remembered."""
    return [offer for name in CELLS for offer in read(cells.get(name))]


def changes(cell: bytes | None, horizon: int) -> dict[bytes, int]:
    """Which tools changed after some time, and when (milliseconds).

    Raises:
        ValueError, struct.error: it is no cell of changes.
    """
    if not cell:
        return {}
    if cell[0] != _VERSION:
        raise ValueError(f"a {CHANGED} cell of version {cell[0]}")
    return {key: at for key, at in _CHANGE.iter_unpack(cell[1:]) if at > horizon}


def write_changes(changed: dict[bytes, int]) -> bytes:
    """The cell of the newest of some changes; empty for none."""
    newest = list(changed.items())[-MOST_CHANGES:]
    return bytes([_VERSION]) + b"".join(_CHANGE.pack(k, at) for k, at in newest) if newest else b""
