"""Each test sabotages a good log and says what the verifier must find, and where."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.findings import Finding, Kind, runs
from ledger.heads import PlacedNote
from tests.ledger.helpers import ORIGIN, OTHER_KEY, Log, a_log, note_of, placed, some_leaves

LEAVES = some_leaves(40)
FOREIGN = some_leaves(60, "another history")


def only(log: Log) -> Finding:
    report = log.verify()
    assert not report.ok
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def test_a_good_log_is_good_in_any_order():
    log = a_log()
    report = replace(log, leaves=log.leaves[::-1]).verify()
    assert report.ok
    assert report.findings == ()
    assert report.verified == (5, 13, 32, 40)
    assert report.unverified == ()
    assert report.leaves == 40
    assert [text.split(" ")[0] for text in report.not_excluded] == ["leaves", "another"]
    assert all("no witness" in text for text in report.not_excluded)


def test_a_witness_narrows_what_is_not_excluded():
    report = replace(a_log(), witness=placed(LEAVES, 32, "mail")).verify()
    assert report.ok
    assert all("after size 32" in text for text in report.not_excluded)


def test_an_empty_log_is_good():
    assert Log((), ()).verify().ok


def test_a_missing_leaf():
    found = only(a_log().without(7))
    assert (found.kind, found.place) == (Kind.GAP, f"{ORIGIN} seq 7")


def test_missing_leaves_are_one_finding_a_run():
    report = a_log().without(0, 1, 20, 21, 22).verify()
    assert [(f.kind, f.place) for f in report.findings] == [
        (Kind.GAP, f"{ORIGIN} seq 0-1"),
        (Kind.GAP, f"{ORIGIN} seq 20-22"),
    ]
    assert report.verified == ()
    assert report.unverified == (5, 13, 32, 40)


def test_up_to_a_gap_roots_are_verified():
    assert a_log().without(20).verify().verified == (5, 13)


@pytest.mark.parametrize(("leaf", "says"), [(LEAVES[9], "the same leaf"), (FOREIGN[9], "another leaf")])
def test_a_leaf_twice(leaf, says):
    log = a_log()
    found = only(replace(log, leaves=(*log.leaves, (9, leaf))))
    assert (found.kind, found.place) == (Kind.DUPLICATE, f"{ORIGIN} seq 9")
    assert says in found.message


@pytest.mark.parametrize(("seq", "leaf"), [(40, b"short"), (-1, bytes(32))])
def test_a_leaf_that_is_none(seq, leaf):
    log = a_log()
    assert only(replace(log, leaves=(*log.leaves, (seq, leaf)))).kind is Kind.MALFORMED_LEAF


@given(st.integers(0, 39), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_an_edit_is_between_the_checkpoints_that_it_is_between(seq, sizes):
    sizes = sorted({*sizes, 40})
    log = a_log(sizes=tuple(sizes)).with_leaf(seq, FOREIGN[seq])
    before = max((size for size in sizes if size <= seq), default=0)
    after = min(size for size in sizes if size > seq)
    found = only(log)
    assert found.kind is Kind.ROOT_MISMATCH
    assert found.message.startswith(
        f"the leaves do not give the root signed for size {after} at checkpoint {after}"
    )
    assert f"one of sequence numbers {before} to {after - 1} was changed" in found.message
    assert log.verify().verified == tuple(size for size in sizes if size <= before)


def test_two_leaves_swapped():
    log = a_log().with_leaf(14, LEAVES[15]).with_leaf(15, LEAVES[14])
    found = only(log)
    assert (found.kind, found.place) == (Kind.ROOT_MISMATCH, f"{ORIGIN} seq 13-31")


def test_a_leaf_dropped_and_the_rest_renumbered():
    leaves = [*LEAVES[:20], *LEAVES[21:]]
    kinds = replace(a_log(), leaves=tuple(enumerate(leaves))).kinds()
    assert kinds == [Kind.ROOT_MISMATCH, Kind.TRUNCATED]


def test_a_forged_checkpoint():
    log = a_log()
    forged = PlacedNote("row 3", log.notes[-1].text.replace("\n40\n", "\n39\n"))
    found = only(replace(log, notes=(*log.notes, forged)))
    assert (found.kind, found.place) == (Kind.BAD_SIGNATURE, "row 3")


@pytest.mark.parametrize(
    "text",
    [
        "gibberish",
        note_of(LEAVES, 40, OTHER_KEY),
        note_of(LEAVES, 40, origin="log-a/4"),
    ],
)
def test_a_note_that_is_no_checkpoint_of_this_log(text):
    found = only(replace(a_log(), notes=(*a_log().notes, PlacedNote("row 3", text))))
    assert (found.kind, found.place) == (Kind.BAD_CHECKPOINT, "row 3")


def test_a_size_signed_with_two_roots():
    log = a_log()
    notes = (*log.notes, placed(FOREIGN, 40, "elsewhere"))
    found = only(replace(log, notes=notes))
    assert (found.kind, found.place) == (Kind.FORK, "elsewhere")
    assert "checkpoint 40" in found.message


def test_another_history_was_signed_at_a_smaller_size():
    log = a_log()
    notes = (*log.notes[:1], placed(FOREIGN, 10, "row 2"), *log.notes[1:])
    found = only(replace(log, notes=notes))
    assert (found.kind, found.place) == (Kind.FORK, "row 2")


def test_a_rewritten_and_newly_signed_log_does_not_pass_the_witness():
    rewritten = Log(tuple(enumerate(FOREIGN[:40])), (placed(FOREIGN, 40),))
    assert rewritten.verify().ok
    found = only(replace(rewritten, witness=placed(LEAVES, 32, "mail")))
    assert (found.kind, found.place) == (Kind.FORK, "mail")


def test_leaves_cut_off_below_a_checkpoint():
    found = only(a_log().without(38, 39))
    assert (found.kind, found.place) == (Kind.TRUNCATED, f"{ORIGIN} seq 38-39")
    assert "checkpoint 40" in found.message


def test_leaves_and_checkpoints_cut_off_together_pass_only_without_a_witness():
    cut = Log(tuple(enumerate(LEAVES[:13])), (placed(LEAVES, 5), placed(LEAVES, 13)))
    assert cut.verify().ok
    log = replace(cut, witness=placed(LEAVES, 32, "mail"))
    assert log.kinds() == [Kind.ROLLED_BACK, Kind.TRUNCATED]
    assert log.verify().findings[0].place == "mail"


def test_checkpoints_alone_cut_off():
    log = a_log()
    found = only(replace(log, notes=log.notes[:2], witness=placed(LEAVES, 40, "mail")))
    assert (found.kind, found.place) == (Kind.ROLLED_BACK, "mail")


def test_a_smaller_size_signed_later():
    log = a_log()
    found = only(replace(log, notes=(*log.notes, placed(LEAVES, 20, "row 9"))))
    assert (found.kind, found.place) == (Kind.ROLLED_BACK, "row 9")


def test_a_tail_not_signed_yet_is_harmless_and_said():
    log = a_log(sizes=(5, 30))
    report = log.verify()
    assert report.ok
    assert [(f.kind, f.place) for f in report.findings] == [(Kind.UNSIGNED_TAIL, f"{ORIGIN} seq 30-39")]
    assert "leaves 30 to 39" in report.not_excluded[0]
    assert log.with_leaf(35, FOREIGN[35]).verify().ok


def test_leaves_without_any_checkpoint():
    assert only(a_log(sizes=())).kind is Kind.UNSIGNED


def test_a_false_witness_does_not_count():
    witness = PlacedNote("mail", placed(LEAVES, 32).text.replace("\n32\n", "\n31\n"))
    found = only(replace(a_log(), witness=witness))
    assert (found.kind, found.place) == (Kind.BAD_SIGNATURE, "mail")


@given(st.sets(st.integers(-5, 30)))
def test_runs_are_the_numbers(numbers):
    found = list(runs(sorted(numbers)))
    assert {n for first, last in found for n in range(first, last + 1)} == numbers
    assert all(after[0] > before[1] + 1 for before, after in pairwise(found))
