"""What an agent's cell remembers of its producers' numbering: a few epochs, each with a few holes.

Layout, little-endian: version, whether an epoch was ever evicted, holes that are open in current epochs; then
the epochs, the one heard last first: flags, how many holes, when it was heard last (milliseconds), the next
number, the floor, producer id and epoch as Avro has them, the holes as first and last number. The first
epoch's part up to its next number has a fixed length, so that a number in order changes that alone.
"""

import struct
from dataclasses import dataclass, field
from hashlib import sha256

from schemas.lazy import Odd, long_at
from schemas.varint import zigzag

VERSION = 1
EPOCHS = 8
HOLES = 12
NAME_BYTES = 63
"""At most so many epochs, holes in all of them together, and bytes of a producer's name: below 1 KB."""

CLOSED, OVERRUN, REGRESSED, SUPERSEDED = 1, 2, 4, 8
"""An epoch's flags: its closing count came; it went on all the same; an older one did (told once each); it
was heard after a newer one had begun."""

FRONT = struct.Struct("<BBBBBqQ")
"""Version, evicted, open; the first epoch's flags, holes, heard_at, next."""
NAME_AT = FRONT.size + 8

_HEAD = struct.Struct("<BBB")
_EPOCH = struct.Struct("<BBqQQ")
_HOLE = struct.Struct("<QQ")


@dataclass(slots=True)
class Epoch:
    """One epoch of one producer.

    Attributes:
        producer: its id in UTF-8, or a digest of a longer one (`name_of`).
        number: the epoch.
        next: the number after the highest that came.
        floor: of numbers below it nobody knows any more whether they came.
        holes: first and last of numbers between floor and next that have not come; ascending.
        flags: see above.
        heard_at: `received_at` of its last action, in milliseconds.
    """

    producer: bytes
    number: int
    next: int = 0
    floor: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    flags: int = 0
    heard_at: int = 0

    def take(self, seq: int) -> bool:
        """Take a number between floor and next out of its hole; False where it came before."""
        for i, (first, last) in enumerate(self.holes):
            if first <= seq <= last:
                rest = [(first, seq - 1), (seq + 1, last)]
                self.holes[i : i + 1] = [hole for hole in rest if hole[0] <= hole[1]]
                return True
        return False


@dataclass(slots=True)
class Known:
    """The epochs of a cell, the one heard last first, and whether one was ever given up for others."""

    epochs: list[Epoch] = field(default_factory=list)
    evicted: bool = False

    def find(self, producer: bytes, number: int) -> Epoch | None:
        """The epoch, where it is remembered."""
        return next((e for e in self.epochs if e.number == number and e.producer == producer), None)

    def newest(self, producer: bytes) -> Epoch | None:
        """The producer's highest epoch that is remembered."""
        return max((e for e in self.epochs if e.producer == producer), key=lambda e: e.number, default=None)

    def hear(self, epoch: Epoch, at: int) -> None:
        """Put an epoch first, and keep to the limits: by what was heard longest ago."""
        if epoch in self.epochs:
            self.epochs.remove(epoch)
        epoch.heard_at = at
        self.epochs.insert(0, epoch)
        if len(self.epochs) > EPOCHS:
            gone = self.epochs.pop()
            self.evicted = True
            # without their successor the producer's older epochs would seem to be its newest
            self.epochs = [e for e in self.epochs if e.producer != gone.producer or e.number > gone.number]
        while sum(len(e.holes) for e in self.epochs) > HOLES:
            oldest = next(e for e in reversed(self.epochs) if e.holes)
            oldest.floor = oldest.holes.pop(0)[1] + 1

    def open(self) -> int:
        """Holes in epochs that are their producers' newest."""
        return sum(len(e.holes) for e in self.epochs if e is self.newest(e.producer))


def name_of(producer: bytes) -> bytes:
    """A producer's id as a cell holds it: one longer than 63 bytes by the beginning of its SHA-256."""
    if len(producer) <= NAME_BYTES:
        return producer
    return b"sha256:" + sha256(producer).hexdigest()[:40].encode()


def split_source(raw: bytes) -> tuple[bytes, int]:
    """Producer id and epoch out of Avro's bytes of both."""
    length, at = long_at(raw, 0)
    return raw[at : at + length], long_at(raw, at + length)[0]


def read_cell(cell: bytes | None) -> Known:
    """Read a cell.

    Raises:
        ValueError: it is none of this version.
    """
    if not cell:
        return Known()
    try:
        version, evicted, _ = _HEAD.unpack_from(cell)
        epochs = _epochs(cell) if version == VERSION else []
    except (struct.error, IndexError, Odd):
        epochs = []
    if not epochs:
        raise ValueError(
            f"a cell of {len(cell)} bytes beginning {cell[:4].hex()} is none of version {VERSION}"
        )
    return Known(epochs, bool(evicted))


def _epochs(cell: bytes) -> list[Epoch]:
    found, at = [], _HEAD.size
    while at < len(cell):
        flags, holes, heard_at, upto, floor = _EPOCH.unpack_from(cell, at)
        at += _EPOCH.size
        producer, number = split_source(cell[at : at + NAME_BYTES + 11])
        at += len(zigzag(len(producer)) + producer + zigzag(number))
        end = at + holes * _HOLE.size
        between = list(_HOLE.iter_unpack(cell[at:end]))
        found.append(Epoch(producer, number, upto, floor, between, flags, heard_at))
        at = end
    return found if at == len(cell) else []


def write_cell(known: Known) -> bytes:
    """The cell of some epochs; empty for none."""
    if not known.epochs:
        return b""
    parts = [_HEAD.pack(VERSION, known.evicted, known.open())]
    for e in known.epochs:
        parts.append(_EPOCH.pack(e.flags, len(e.holes), e.heard_at, e.next, e.floor))
        parts.append(zigzag(len(e.producer)) + e.producer + zigzag(e.number))
        parts += [_HOLE.pack(*hole) for hole in e.holes]
    return b"".join(parts)
