import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BadSignature, LedgerError
from ledger.merkle import EMPTY_ROOT, leaf_hash
from ledger.proofs import prove
from ledger.tree import Tree, verify_consistency, verify_inclusion
from tests.ledger.helpers import KEY, ORIGIN, note_of

RECORDS = {seq: b"record %d" % seq for seq in range(50)}
LEAVES = [leaf_hash(record) for record in RECORDS.values()]
TREE = Tree(LEAVES)


def read(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.data())
def test_what_is_proven_verifies_and_links_every_size(sizes, data):
    newest = max(sizes)
    indices = data.draw(st.lists(st.integers(0, newest - 1), max_size=4)) if newest else []
    notes = [note_of(LEAVES, size) for size in sizes]
    proof = json.loads(json.dumps(prove(ORIGIN, KEY.verify_key, notes, TREE, indices)))
    assert proof["vkey"] == KEY.verify_key.to_text()
    assert sorted(proof["checkpoints"]) == sorted(set(notes))
    for one, index in zip(proof["inclusion"], indices, strict=True):
        leaf, root = bytes.fromhex(one["record_hash"]), bytes.fromhex(one["root"])
        assert (leaf, root) == (LEAVES[index], TREE.root(newest))
        assert verify_inclusion(leaf, one["index"], one["size"], read(one["proof"]), root)
    linked = sorted({*sizes} - {0})
    steps = [(one["old_size"], one["new_size"]) for one in proof["consistency"]]
    assert steps == list(pairwise(linked))
    for one in proof["consistency"]:
        roots = read([one["old_root"], one["new_root"]])
        assert verify_consistency(one["old_size"], roots[0], one["new_size"], roots[1], read(one["proof"]))


def test_records_go_along():
    proof = prove(ORIGIN, KEY.verify_key, [note_of(LEAVES, 9)], TREE, [3, 4], {3: RECORDS[3]})
    assert proof["inclusion"][0]["record"] == "cmVjb3JkIDM="
    assert "record" not in proof["inclusion"][1]


@pytest.mark.parametrize(
    ("notes", "tree", "indices", "records", "says"),
    [
        ([], TREE, [], {}, "no checkpoint yet"),
        ([note_of(LEAVES, 9)], Tree(LEAVES[:8]), [], {}, "signs 9 leaves, but only 8"),
        ([note_of(LEAVES, 9)], Tree([EMPTY_ROOT, *LEAVES]), [], {}, "ledger verify"),
        ([note_of(LEAVES, 9)], TREE, [9], {}, "not under the newest"),
        ([note_of(LEAVES, 9)], TREE, [-1], {}, "not under the newest"),
        ([note_of(LEAVES, 9)], TREE, [3], {3: RECORDS[4]}, "not that of its leaf"),
        ([note_of(LEAVES, 9, origin="log-a/4")], TREE, [3], {}, "log-a/4"),
    ],
)
def test_what_is_not_so_is_not_proven(notes, tree, indices, records, says):
    with pytest.raises(LedgerError, match=says):
        prove(ORIGIN, KEY.verify_key, notes, tree, indices, records)


def test_a_forged_checkpoint_is_not_passed_on():
    with pytest.raises(BadSignature):
        prove(ORIGIN, KEY.verify_key, [note_of(LEAVES, 9).replace("\n9\n", "\n8\n")], TREE, [])
