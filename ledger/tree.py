"""The Merkle tree of RFC 6962 over all its leaves: roots of any size, and proofs."""

import hashlib
from collections.abc import Iterable

from ledger.errors import LedgerError
from ledger.merkle import EMPTY_ROOT, HASH_SIZE, node_hash


class Tree:
    """Leaves 0 to n-1 with every complete subtree above them, for roots and proofs at any size up to n.

    Immutable. Holds 64 bytes a leaf (a million leaves: 64 MB), one hash a leaf to build; a root or a proof
    then costs O(log² n) hashes at most.

    Args:
        leaves: leaf hashes, 32 bytes each, in order.

    Raises:
        LedgerError: the leaves are not 32 bytes each.
    """

    __slots__ = ("_levels", "size")

    def __init__(self, leaves: Iterable[bytes]) -> None:
        hashes = list(leaves)
        if set(map(len, hashes)) - {HASH_SIZE}:
            raise LedgerError(f"a leaf has not {HASH_SIZE} bytes")
        self.size = len(hashes)
        self._levels = _levels(hashes)

    def leaf(self, index: int) -> bytes:
        """The leaf hash at `index`, counted from 0."""
        self._check(index + 1, least=1)
        return self._levels[0][index * HASH_SIZE : (index + 1) * HASH_SIZE]

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves (all, if not given), 32 bytes."""
        size = self.size if size is None else size
        self._check(size, least=0)
        return self._subtree(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """The audit path of leaf `index` in the tree over the first `size` leaves, from leaf to root.

        RFC 6962, 2.1.1.

        Raises:
            LedgerError: not 0 ≤ index < size ≤ the leaves there are.
        """
        self._check(size, least=1)
        if not 0 <= index < size:
            raise LedgerError(f"leaf {index} is not in a tree of {size} leaves")
        start, end, path = 0, size, []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        return path[::-1]

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree over `old` leaves begins the one over `new`, in RFC 6962's order.

        RFC 6962, 2.1.2.

        Raises:
            LedgerError: not 1 ≤ old ≤ new ≤ the leaves there are.
        """
        self._check(new, least=1)
        if not 1 <= old <= new:
            raise LedgerError(f"no consistency proof leads from size {old} to {new}")
        start, end, path = 0, new, []
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        if start:  # the old tree is a subtree here, not the whole: the verifier cannot know its hash
            path.append(self._subtree(start, end))
        return path[::-1]

    def _check(self, size: int, least: int) -> None:
        if not least <= size <= self.size:
            raise LedgerError(f"size {size} is not within {least} and {self.size}, the leaves there are")

    def _subtree(self, start: int, end: int) -> bytes:
        """Merkle Tree Hash of leaves start to end-1; start is a multiple of a power of two ≥ the width."""
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            at = (start >> level) * HASH_SIZE
            return self._levels[level][at : at + HASH_SIZE]
        middle = start + _split(width)
        return node_hash(self._subtree(start, middle), self._subtree(middle, end))


def _split(width: int) -> int:
    """The largest power of two below `width` (≥ 2): where RFC 6962 divides a tree."""
    return 1 << ((width - 1).bit_length() - 1)


def _levels(hashes: list[bytes]) -> list[bytes]:
    sha256 = hashlib.sha256
    levels = [b"".join(hashes)]
    while len(hashes) > 1:
        pairs = iter(hashes[: len(hashes) & ~1])
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
        levels.append(b"".join(hashes))
    return levels


def verify_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Whether `proof` shows `leaf` (a leaf hash) at `index` in the tree of `size` with `root`.

    The algorithm of RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: list[bytes]
) -> bool:
    """Whether `proof` shows the tree of `old_size` to be the beginning of the one of `new_size`.

    The algorithm of RFC 9162, 2.1.4.2. Sizes from 1: every tree begins with the empty one, no proof needed.
    """
    if not 1 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not proof:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root
