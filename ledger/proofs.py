"""Proofs for others: what an independent verifier needs to check a log without trusting us."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.errors import LedgerError
from ledger.keys import VerifyKey
from ledger.merkle import leaf_hash
from ledger.tree import Tree


def prove(
    origin: str,
    key: VerifyKey,
    notes: Sequence[str],
    tree: Tree,
    indices: Sequence[int],
    records: Mapping[int, bytes] | None = None,
) -> dict[str, Any]:
    """Checkpoints of one log, proofs that each begins with the one before it, and that leaves are in them.

    Each index is proven in the newest checkpoint, to which consistency proofs lead up from all others. The
    result is plain JSON, as `tlogverify` takes it: `vkey`, `origin`, `checkpoints` (the notes), `inclusion`
    (`record_hash`, `index`, `size`, `proof`, `root`, and `record` in base64 where given), `consistency`
    (`old_size`, `old_root`, `new_size`, `new_root`, `proof`); hashes in hex, proofs in RFC 6962's order.

    Args:
        origin: the log: `<log_id>/<partition>`.
        key: whose signatures the notes bear.
        notes: checkpoints in any order, at least one.
        tree: the leaves up to the newest checkpoint at least.
        indices: sequence numbers to prove.
        records: by sequence number, the bytes under the leaf hash (a record without its erasable texts).

    Raises:
        LedgerError: a note is not a checkpoint of this log signed by the key, the leaves are not those it
            signs, an index lies beyond the newest checkpoint, or a record is not that of its leaf.
    """
    checkpoints = _linked(origin, key, notes, tree)
    newest = checkpoints[-1]
    return {
        "vkey": key.to_text(),
        "origin": origin,
        "checkpoints": list(dict.fromkeys(notes)),
        "inclusion": [_inclusion(tree, newest, index, (records or {}).get(index)) for index in indices],
        "consistency": [_consistency(tree, old, new) for old, new in pairwise(checkpoints) if old.size],
    }


def _linked(origin: str, key: VerifyKey, notes: Sequence[str], tree: Tree) -> list[Checkpoint]:
    """The checkpoints by size, one of each, all verified against the tree."""
    by_size = {}
    for note in notes:
        checkpoint = open_checkpoint(note, [key], origin)
        if checkpoint.size > tree.size:
            raise LedgerError(
                f"{origin}: a checkpoint signs {checkpoint.size} leaves, but only {tree.size} are there"
            )
        if tree.root(checkpoint.size) != checkpoint.root:
            raise LedgerError(
                f"{origin}: the leaves do not give the root signed for size {checkpoint.size}, so nothing can"
                " be proven: `praetor ledger verify` says where they were changed"
            )
        by_size[checkpoint.size] = checkpoint
    if not by_size:
        raise LedgerError(f"{origin}: there is no checkpoint yet, so nothing can be proven")
    return [by_size[size] for size in sorted(by_size)]


def _inclusion(tree: Tree, newest: Checkpoint, index: int, record: bytes | None) -> dict[str, Any]:
    if not 0 <= index < newest.size:
        raise LedgerError(
            f"{newest.origin}: sequence number {index} is not under the newest checkpoint ({newest.size})"
        )
    proof = {
        "record_hash": tree.leaf(index).hex(),
        "index": index,
        "size": newest.size,
        "proof": _hex(tree.inclusion_proof(index, newest.size)),
        "root": newest.root.hex(),
    }
    if record is not None:
        if leaf_hash(record) != tree.leaf(index):
            raise LedgerError(
                f"{newest.origin}: the record of sequence number {index} is not that of its leaf"
            )
        proof["record"] = b64encode(record).decode()
    return proof


def _consistency(tree: Tree, old: Checkpoint, new: Checkpoint) -> dict[str, Any]:
    return {
        "old_size": old.size,
        "old_root": old.root.hex(),
        "new_size": new.size,
        "new_root": new.root.hex(),
        "proof": _hex(tree.consistency_proof(old.size, new.size)),
    }


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]
