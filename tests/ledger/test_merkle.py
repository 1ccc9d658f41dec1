import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from ledger.tree import Tree, verify_consistency, verify_inclusion
from tests.ledger.helpers import naive_root, some_leaves

# The reference data of certificate-transparency's own tests for RFC 6962: eight entries and their roots.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 300)


def test_known_roots():
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == Tree([]).root() == EMPTY_ROOT
    for size, root in enumerate(ROOTS, 1):
        assert Frontier().extend(leaves[:size]).root().hex() == root
        assert Tree(leaves).root(size).hex() == root


def test_known_proofs():
    tree = Tree([leaf_hash(entry) for entry in ENTRIES])
    assert [one.hex() for one in tree.inclusion_proof(2, 3)] == [ROOTS[1]]
    assert [one.hex() for one in tree.inclusion_proof(0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in tree.consistency_proof(6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.integers(0, 300), st.lists(st.integers(0, 40), max_size=40))
def test_batches_in_any_split_give_the_root_of_the_definition(size, cuts):
    leaves = some_leaves(size)
    frontier, start = Frontier(), 0
    for cut in [*cuts, size]:
        frontier = frontier.extend(leaves[start : start + cut])
        start += len(leaves[start : start + cut])
        assert Frontier.from_bytes(frontier.to_bytes()) == frontier
        assert frontier.root() == naive_root(leaves[:start])
    assert frontier == Frontier().extend(leaves)
    assert frontier.size == size


@given(SIZES, st.data())
def test_tree_agrees_with_the_definition_at_every_size(size, data):
    leaves = some_leaves(size)
    at = data.draw(st.integers(0, size))
    assert Tree(leaves).root(at) == naive_root(leaves[:at])
    assert Tree(leaves).leaf(size - 1) == leaves[-1]


def flipped(raw: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(raw))


@given(SIZES, st.data())
@settings(max_examples=150)
def test_inclusion_is_proven_and_no_flipped_bit_passes(size, data):
    tree = Tree(some_leaves(size))
    index, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    proof, leaf, root = tree.inclusion_proof(index, size), tree.leaf(index), tree.root()
    assert verify_inclusion(leaf, index, size, proof, root)
    assert not verify_inclusion(flipped(leaf, bit), index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, proof, flipped(root, bit))
    assert not verify_inclusion(leaf, index, size, [*proof, root], root)
    for place in range(len(proof)):
        changed = [flipped(one, bit) if i == place else one for i, one in enumerate(proof)]
        assert not verify_inclusion(leaf, index, size, changed, root)
        assert not verify_inclusion(leaf, index, size, proof[:place], root)
    other = data.draw(st.integers(-1, size))
    assert verify_inclusion(leaf, other, size, proof, root) == (other == index)


@given(SIZES, st.data())
@settings(max_examples=150)
def test_consistency_is_proven_and_no_flipped_bit_passes(new, data):
    tree = Tree(some_leaves(new))
    old, bit = data.draw(st.integers(1, new)), data.draw(st.integers(0, 255))
    proof, old_root, new_root = tree.consistency_proof(old, new), tree.root(old), tree.root(new)
    assert verify_consistency(old, old_root, new, new_root, proof)
    assert not verify_consistency(old, flipped(old_root, bit), new, new_root, proof)
    assert not verify_consistency(old, old_root, new, flipped(new_root, bit), proof)
    assert not verify_consistency(old, old_root, new, new_root, [*proof, new_root])
    for place in range(len(proof)):
        changed = [flipped(one, bit) if i == place else one for i, one in enumerate(proof)]
        assert not verify_consistency(old, old_root, new, new_root, changed)
        assert not verify_consistency(old, old_root, new, new_root, proof[:place])


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "0 bytes"),
        (struct.pack(">Q", 1), "0 hashes where 1 belong"),
        (struct.pack(">Q", 2) + bytes(64), "2 hashes where 1 belong"),
        (struct.pack(">Q", 0) + bytes(31), "39 bytes"),
        (struct.pack(">Q", 2**63) + bytes(32), "not within"),
    ],
)
def test_a_frontier_has_one_text(raw, says):
    with pytest.raises(LedgerError, match=says):
        Frontier.from_bytes(raw)


def test_what_is_no_hash_is_refused():
    with pytest.raises(LedgerError, match="31 bytes"):
        Frontier().extend([bytes(32), bytes(31)])
    with pytest.raises(LedgerError, match="32 bytes"):
        Tree([bytes(33)])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (0, 6)])
def test_no_inclusion_proof_beyond_the_tree(index, size):
    with pytest.raises(LedgerError):
        Tree(some_leaves(5)).inclusion_proof(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (1, 6), (-1, 2)])
def test_no_consistency_proof_beyond_the_tree(old, new):
    with pytest.raises(LedgerError):
        Tree(some_leaves(5)).consistency_proof(old, new)
    assert not verify_consistency(0, EMPTY_ROOT, 3, EMPTY_ROOT, [])


def test_a_large_tree_is_the_same_by_frontier_and_tree():
    leaves = some_leaves(100_003)
    tree = Tree(leaves)
    frontier = Frontier().extend(leaves[:70_001]).extend(leaves[70_001:])
    assert tree.root() == frontier.root()
    assert verify_inclusion(
        leaves[77_777], 77_777, tree.size, tree.inclusion_proof(77_777, tree.size), tree.root()
    )


def test_node_hash_has_its_own_prefix():
    assert node_hash(bytes(32), bytes(32)) != leaf_hash(bytes(64))


def test_an_inner_node_is_no_leaf():
    tree = Tree(some_leaves(4))
    inner = node_hash(tree.leaf(0), tree.leaf(1))
    assert not verify_inclusion(inner, 0, 4, tree.inclusion_proof(0, 4)[1:], tree.root())


@pytest.mark.parametrize(("old", "new", "claimed"), [(2, 4, (2, 8)), (3, 4, (3, 8)), (7, 8, (3, 4))])
def test_a_consistency_proof_is_of_its_own_sizes(old, new, claimed):
    tree = Tree(some_leaves(8))
    proof, old_root, new_root = tree.consistency_proof(old, new), tree.root(old), tree.root(new)
    assert verify_consistency(old, old_root, new, new_root, proof)
    assert not verify_consistency(claimed[0], old_root, claimed[1], new_root, proof)
