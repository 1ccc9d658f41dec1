"""A small log that tests sabotage, and the naive definitions they compare with."""

import hashlib
from dataclasses import dataclass, replace

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.findings import Kind
from ledger.heads import PlacedNote
from ledger.keys import SigningKey
from ledger.tree import Tree
from ledger.verify import Report, verify_partition

KEY = SigningKey("log-a", bytes(range(32)))
OTHER_KEY = SigningKey("log-a", bytes(range(1, 33)))
ORIGIN = "log-a/3"


def some_leaves(count: int, seed: str = "") -> list[bytes]:
    return [hashlib.sha256(f"{seed}{i}".encode()).digest() for i in range(count)]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def note_of(leaves: list[bytes], size: int, key: SigningKey = KEY, origin: str = ORIGIN) -> str:
    return sign_checkpoint(Checkpoint(origin, size, Tree(leaves).root(size)), key)


def placed(leaves: list[bytes], size: int, place: str = "", key: SigningKey = KEY) -> PlacedNote:
    return PlacedNote(place or f"checkpoint {size}", note_of(leaves, size, key))


@dataclass(frozen=True)
class Log:
    """The inputs of the verifier; `replace` one to sabotage it."""

    leaves: tuple[tuple[int, bytes], ...]
    notes: tuple[PlacedNote, ...]
    witness: PlacedNote | None = None

    def verify(self) -> Report:
        outside = [self.witness] if self.witness else []
        return verify_partition(ORIGIN, self.leaves, self.notes, [KEY.verify_key], outside)

    def kinds(self) -> list[Kind]:
        return [finding.kind for finding in self.verify().findings]

    def with_leaf(self, seq: int, leaf: bytes) -> "Log":
        return replace(self, leaves=tuple((s, leaf if s == seq else old) for s, old in self.leaves))

    def without(self, *seqs: int) -> "Log":
        return replace(self, leaves=tuple(one for one in self.leaves if one[0] not in seqs))


def a_log(count: int = 40, sizes: tuple[int, ...] = (5, 13, 13, 32, 40)) -> Log:
    leaves = some_leaves(count)
    return Log(tuple(enumerate(leaves)), tuple(placed(leaves, size) for size in sizes))
