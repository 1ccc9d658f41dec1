"""Every way to change the log in Kafka is found, and where."""

import random
import re

import pytest

from judgement.decision import leaf_of_record
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.keys import SigningKey
from ledger.merkle import EMPTY_ROOT
from runtime.errors import Malformed
from schemas.codec import decode, encode
from tests.ledger_cli.helpers import Judged, changed


def relabelled(value: bytes, **fields: object) -> bytes:
    """A changed decision that carries the leaf of its new fields."""
    record = decode(value, "decision") | fields
    return encode("decision", record | {"leaf": leaf_of_record(record)})


def findings(judged: Judged, prefix: str, *options: str) -> list[tuple[str, str]]:
    answer = judged.run("verify", "--json", *options, prefix=prefix)
    assert answer.code == 1
    assert not answer.json["ok"]
    return answer.findings()


def test_a_changed_field_is_found_at_its_place(judged: Judged) -> None:
    def edit(values: list[bytes]) -> None:
        values[20] = changed(values[20], effect="modify")

    prefix = judged.edited(0, edit)
    assert findings(judged, prefix) == [("leaf-mismatch", f"{judged.log_id}/0 seq 20")]
    words = judged.run("verify", prefix=prefix)
    assert words.code == 1 and f"FALSE leaf-mismatch: {judged.log_id}/0 seq 20 (Kafka)" in words.out
    assert "FALSE: 1 findings" in words.out
    blind = judged.run("verify", "--no-records", prefix=prefix)
    assert blind.code == 0 and "only leaves were checked" in blind.out


@pytest.mark.parametrize("options", [(), ("--no-records",)])
def test_a_changed_field_with_a_leaf_to_match_is_found(judged: Judged, options: tuple[str, ...]) -> None:
    def edit(values: list[bytes]) -> None:
        values[-1] = relabelled(values[-1], agent_id="somebody-else")

    prefix = judged.edited(2, edit)
    first = sorted({c["size"] for c in judged.sizes(2)})[-2]
    last = len(judged.decisions[2]) - 1
    assert findings(judged, prefix, *options) == [("root-mismatch", f"{judged.log_id}/2 seq {first}-{last}")]


def test_a_dropped_decision_is_found_at_its_place(judged: Judged) -> None:
    prefix = judged.edited(1, lambda values: values.pop(33))
    assert ("gap", f"{judged.log_id}/1 seq 33") in findings(judged, prefix)


def test_decisions_that_changed_places_are_found(judged: Judged) -> None:
    def positions(values: list[bytes]) -> None:
        values[10], values[11] = values[11], values[10]

    def numbers(values: list[bytes]) -> None:
        values[10], values[11] = relabelled(values[11], seq=10), relabelled(values[10], seq=11)

    assert findings(judged, judged.edited(1, positions)) == [("misplaced", f"{judged.log_id}/1 seq 10")]
    assert [kind for kind, _ in findings(judged, judged.edited(1, numbers))] == ["root-mismatch"]


def test_a_decision_that_is_there_twice_is_found(judged: Judged) -> None:
    kinds = {kind for kind, _ in findings(judged, judged.edited(1, lambda v: v.insert(6, v[5])))}
    assert kinds == {"duplicate", "record-duplicate"}


def test_a_decision_of_another_partition_is_found(judged: Judged) -> None:
    def edit(values: list[bytes]) -> None:
        values[5] = judged.decisions[0][5]

    found = findings(judged, judged.edited(1, edit))
    assert [kind for kind, _ in found] == ["misplaced", "root-mismatch"]
    assert found[0] == ("misplaced", f"{judged.log_id}/1 seq 5")


def test_decisions_cut_off_under_a_checkpoint_are_found(judged: Judged) -> None:
    count = len(judged.decisions[0])
    found = findings(judged, judged.edited(0, lambda values: values.__delitem__(slice(-3, None))))
    assert found == [("truncated", f"{judged.log_id}/0 seq {count - 3}-{count - 1}")]


def test_decisions_that_nobody_signed_are_found(judged: Judged) -> None:
    checkpoints = judged.checkpoints | {1: []}
    assert [kind for kind, _ in findings(judged, judged.tampered(checkpoints=checkpoints))] == ["unsigned"]


def test_a_checkpoint_by_another_key_is_found(judged: Judged) -> None:
    other = SigningKey(judged.log_id, bytes(32))
    note = sign_checkpoint(Checkpoint(f"{judged.log_id}/0", 0, EMPTY_ROOT), other)
    forged = encode("checkpoint", checkpoint(judged) | {"size": 0, "root": EMPTY_ROOT, "note": note})
    prefix = judged.edited(0, lambda values: values.insert(0, forged), of="checkpoints")
    assert findings(judged, prefix) == [("bad-checkpoint", f"{prefix}agent.checkpoints/0 offset 0")]


def test_a_checkpoint_whose_record_says_something_else_is_found(judged: Judged) -> None:
    forged = encode("checkpoint", checkpoint(judged) | {"size": 1})
    prefix = judged.edited(0, lambda values: values.__setitem__(0, forged), of="checkpoints")
    assert findings(judged, prefix) == [("bad-checkpoint", f"{prefix}agent.checkpoints/0 offset 0")]


def test_a_checkpoint_whose_note_was_changed_is_found(judged: Judged) -> None:
    record = checkpoint(judged)
    note = record["note"].replace(f"\n{record['size']}\n", f"\n{record['size'] + 1}\n", 1)
    forged = encode("checkpoint", record | {"size": record["size"] + 1, "note": note})
    prefix = judged.edited(0, lambda values: values.__setitem__(0, forged), of="checkpoints")
    assert findings(judged, prefix) == [("bad-signature", f"{prefix}agent.checkpoints/0 offset 0")]


def test_values_that_are_no_records_are_found_at_their_offset(judged: Judged) -> None:
    prefix = judged.edited(0, lambda values: values.__setitem__(7, b"gone"))
    found = findings(judged, prefix)
    assert ("leaf-mismatch", f"{prefix}agent.decisions/0 offset 7") in found
    assert ("gap", f"{judged.log_id}/0 seq 7") in found
    prefix = judged.edited(0, lambda values: values.__setitem__(1, b"gone"), of="checkpoints")
    assert findings(judged, prefix) == [("bad-checkpoint", f"{prefix}agent.checkpoints/0 offset 1")]


def checkpoint(judged: Judged) -> dict[str, object]:
    return decode(judged.checkpoints[0][0], "checkpoint")


def test_one_byte_changed_in_each_decision_is_found_in_each(judged: Judged) -> None:
    """But in a salt without a text: it says nothing."""
    dice = random.Random(3)
    flipped = [flip(dice, value) for value in judged.decisions[2]]
    prefix = judged.tampered(judged.decisions | {2: flipped})
    places = {place for _, place in findings(judged, prefix)}
    found: set[int] = set()
    for place in places:
        # nothing but decisions was written there, so that a decision's offset is its sequence number
        span = re.search(r"(?:/2 seq|agent\.decisions/2 offset) (\d+)(?:-(\d+))?$", place)
        assert span, place
        first, last = int(span[1]), int(span[2] or span[1])
        if last - first < 3:
            found |= set(range(first, last + 1))
    assert found >= set(range(len(flipped)))


def flip(dice: random.Random, value: bytes) -> bytes:
    while True:
        at = dice.randrange(len(value))
        other = value[:at] + bytes([value[at] ^ 1 << dice.randrange(8)]) + value[at + 1 :]
        try:
            was, now = decode(value, "decision"), decode(other, "decision")
        except Malformed:
            return other
        if {name for name in was if str(was[name]) != str(now[name])} - {"salt"} or was["arguments_digest"]:
            return other
