"""One key hands over to the next: what follows from which key is trusted, and what attackers make of it."""

import pytest

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.findings import Kind
from ledger.heads import PlacedNote
from ledger.keys import SigningKey, VerifyKey
from ledger.note import PREFIX
from ledger.rollover import rollover_line, trust
from ledger.tree import Tree
from ledger.verify import Report, verify_partition
from tests.ledger.helpers import ORIGIN, some_leaves

OLD, NEW, NEWER, MALLORY = (SigningKey(f"key-{n}", bytes([n]) * 32) for n in range(4))
LEAVES = some_leaves(40)
TREE = Tree(LEAVES)


def note(size: int, *keys: SigningKey, line: str = "", root: bytes | None = None) -> str:
    extensions = (line,) if line else ()
    return sign_checkpoint(Checkpoint(ORIGIN, size, root or TREE.root(size), extensions), *keys)


def both(size: int, old: SigningKey = OLD, new: SigningKey = NEW, *signers: SigningKey) -> str:
    return note(size, *(signers or (old, new)), line=rollover_line(old.verify_key, new.verify_key))


ROTATED = [note(5, OLD), note(9, OLD), both(12), both(20), note(30, NEW), note(40, NEW)]
TWICE = [*ROTATED[:-1], both(33, NEW, NEWER), note(40, NEWER)]


def verify(notes: list[str], *keys: SigningKey, witness: list[str] | None = None) -> Report:
    known = [key.verify_key for key in keys]
    kept = [PlacedNote(f"kept {n}", text) for n, text in enumerate(witness or [])]
    placed = [PlacedNote(f"note {n}", text) for n, text in enumerate(notes)]
    return verify_partition(ORIGIN, enumerate(LEAVES), placed, known, kept)


def wrong(report: Report) -> list[tuple[Kind, str]]:
    return [(one.kind, one.place) for one in report.findings if not one.harmless]


def ids(*keys: SigningKey) -> tuple[str, ...]:
    return tuple(sorted(key.verify_key.id for key in keys))


@pytest.mark.parametrize("keys", [(OLD,), (NEW,), (OLD, NEW)])
def test_each_of_the_two_keys_is_enough(keys: tuple[SigningKey, ...]) -> None:
    report = verify(ROTATED, *keys)
    assert (wrong(report), report.verified) == ([], (5, 9, 12, 20, 30, 40))
    spans = [(span.keys, span.first, span.last) for span in report.spans]
    assert spans == [(ids(OLD), 5, 9), (ids(OLD, NEW), 12, 20), (ids(NEW), 30, 40)]


@pytest.mark.parametrize("key", [OLD, NEW, NEWER])
def test_a_chain_of_hand_overs_holds_from_any_of_its_keys(key: SigningKey) -> None:
    assert wrong(verify(TWICE, key)) == []


def test_with_another_key_nothing_is_verified() -> None:
    report = verify(ROTATED, MALLORY)
    assert report.verified == () and {kind for kind, _ in wrong(report)} == {
        Kind.BAD_CHECKPOINT,
        Kind.UNSIGNED,
    }


def test_a_signature_added_under_a_note_hands_over_nothing() -> None:
    """Who signs along has not been vouched for: the text says nothing of that key."""
    text, _, lines = note(9, OLD).rpartition("\n\n")
    along = sign_checkpoint(Checkpoint(ORIGIN, 9, TREE.root(9)), MALLORY).rpartition("\n\n")[2]
    notes = [note(5, OLD), f"{text}\n\n{lines}{along}", note(40, MALLORY)]
    assert notes[1].count(PREFIX) == 2
    assert wrong(verify(notes, OLD)) == [(Kind.BAD_CHECKPOINT, "note 2")]


@pytest.mark.parametrize("signers", [(OLD,), (MALLORY,), (NEW, MALLORY)], ids=["old", "new", "not old"])
def test_a_hand_over_counts_only_with_both_signatures(signers: tuple[SigningKey, ...]) -> None:
    notes = [note(5, OLD), both(9, OLD, MALLORY, *signers), note(40, MALLORY)]
    assert (Kind.BAD_CHECKPOINT, "note 2") in wrong(verify(notes, OLD))


def test_a_hand_over_of_another_log_counts_not() -> None:
    line = rollover_line(OLD.verify_key, MALLORY.verify_key)
    other = sign_checkpoint(Checkpoint("log-a/4", 9, TREE.root(9), (line,)), OLD, MALLORY)
    found = wrong(verify([note(5, OLD), other, note(40, MALLORY)], OLD))
    assert found == [(Kind.BAD_CHECKPOINT, "note 1"), (Kind.BAD_CHECKPOINT, "note 2")]


@pytest.mark.parametrize("keys", [(OLD,), (NEW,), (OLD, NEW)])
def test_a_retired_key_that_signs_again_is_found(keys: tuple[SigningKey, ...]) -> None:
    found = wrong(verify([*ROTATED[:-1], note(35, OLD), note(40, NEW)], *keys))
    assert found == [(Kind.BAD_CHECKPOINT, "note 5")]


def test_an_old_key_may_still_sign_alone_while_the_hand_over_goes_on() -> None:
    """Workers are restarted one after the other."""
    assert wrong(verify([note(5, OLD), both(9), note(12, OLD), both(20), note(40, NEW)], OLD)) == []


@pytest.mark.parametrize("keys", [(OLD,), (OLD, NEW)])
def test_a_stolen_old_key_that_hands_over_elsewhere_is_found(keys: tuple[SigningKey, ...]) -> None:
    notes = [*ROTATED[:2], both(9, OLD, MALLORY), *ROTATED[2:], note(40, MALLORY)]
    assert Kind.FORK in {kind for kind, _ in wrong(verify(notes, *keys))}


def test_a_stolen_old_key_hands_over_nothing_to_who_trusts_the_new_one_alone() -> None:
    """What counts only up to a size cannot vouch for more than that."""
    notes = [*ROTATED[:2], both(9, OLD, MALLORY), *ROTATED[2:-1], note(35, MALLORY), note(40, NEW)]
    found = wrong(verify(notes, NEW))
    assert (Kind.BAD_CHECKPOINT, "note 6") in found


def test_a_hand_over_that_only_the_witness_kept_counts() -> None:
    notes = [text for text in ROTATED if "rollover" not in text]
    assert (Kind.BAD_CHECKPOINT, "note 2") in wrong(verify(notes, OLD))
    assert wrong(verify(notes, OLD, witness=[both(20)])) == []


def test_an_empty_log_hands_over_too() -> None:
    notes = [both(0), note(40, NEW)]
    assert wrong(verify(notes, OLD)) == []


@pytest.mark.parametrize(
    "line", ["praetor-key-rollover", "praetor-key-rollover a b", "praetor-key-rollover a b c"]
)
def test_a_line_that_names_no_keys_is_an_extension_like_any_other(line: str) -> None:
    assert wrong(verify([note(40, OLD, line=line)], OLD)) == []


def test_trust_says_how_far_a_key_counts() -> None:
    until = trust(ORIGIN, TWICE, [NEW.verify_key]).until
    assert until[OLD.verify_key] == 20 and until[NEWER.verify_key] == until[NEW.verify_key] > 10**18
    assert set(until) == {key.verify_key for key in (OLD, NEW, NEWER)}
    assert trust(ORIGIN, ROTATED, [VerifyKey("x", bytes(32))]).until.keys() == {VerifyKey("x", bytes(32))}
