"""The Merkle tree of RFC 6962, as the few hashes that appending needs (section 2.1)."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import LedgerError

HASH_SIZE = 32
"""Bytes of a leaf hash, a node and a root."""

MAX_SIZE = 2**63 - 1
"""Most leaves of a tree: other implementations read the size as a signed 64-bit number."""

EMPTY_ROOT = hashlib.sha256().digest()
"""Root of the tree without leaves: SHA-256 of nothing."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data): the leaf of an entry (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right): the node over two subtrees (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves, as the roots of the complete subtrees that it consists of.

    `peaks` go from left to right, so from the largest subtree to the smallest: one for each bit set in
    `size`, most significant first. That is all that is needed to append leaves and to know the root; it
    cannot say what the leaves were, and proves nothing of them (see `ledger.tree.Tree`).

    Raises:
        LedgerError: the number of peaks is not the number of bits set in `size`, or one is not 32 bytes.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise LedgerError(f"frontier: size {self.size} is not within 0 and 2^63-1")
        if len(self.peaks) != self.size.bit_count():
            raise LedgerError(
                f"frontier of size {self.size}: {len(self.peaks)} hashes where {self.size.bit_count()} belong"
            )
        _check_lengths(self.peaks)

    def extend(self, leaves: Sequence[bytes]) -> "Frontier":
        """The frontier after appending leaf hashes (32 bytes each, already hashed), in order.

        Costs one hash a leaf on average, whatever the size of the tree; level by level, because a call
        per leaf would cost more than the hashing.
        """
        _check_lengths(leaves)
        sha256 = hashlib.sha256
        below = list(self.peaks)  # the smallest subtree last: popped as the levels rise
        above: list[bytes] = []  # the new peaks, smallest first
        rising, size, total = list(leaves), self.size, self.size + len(leaves)
        while rising:
            if size & 1:
                rising.insert(0, below.pop())
            if len(rising) & 1:
                above.append(rising.pop())
            pairs = iter(rising)
            rising = [
                sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)
            ]
            size >>= 1
        return Frontier(total, (*below, *reversed(above)))

    def root(self) -> bytes:
        """The tree's root, 32 bytes: the Merkle Tree Hash of RFC 6962."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """Size as 8 bytes, big-endian, then the peaks from left to right: one text for one frontier."""
        return struct.pack(">Q", self.size) + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Frontier":
        """The frontier that `to_bytes` wrote.

        Raises:
            LedgerError: the length does not fit the size, or the size is above 2^63-1.
        """
        if len(raw) < 8 or len(raw) % HASH_SIZE != 8:
            raise LedgerError(f"frontier: {len(raw)} bytes are not 8 and a multiple of {HASH_SIZE}")
        (size,) = struct.unpack(">Q", raw[:8])
        return cls(size, tuple(raw[i : i + HASH_SIZE] for i in range(8, len(raw), HASH_SIZE)))


def _check_lengths(hashes: Sequence[bytes]) -> None:
    lengths = set(map(len, hashes)) - {HASH_SIZE}
    if lengths:
        raise LedgerError(f"a hash has {min(lengths)} bytes where {HASH_SIZE} belong")
