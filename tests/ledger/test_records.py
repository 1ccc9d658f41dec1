from dataclasses import replace

import pytest

from ledger.digest import leaf_of, text_digest
from ledger.findings import Kind
from ledger.records import Record, Text, check_records
from tests.ledger.helpers import ORIGIN

SALT = bytes(16)


def a_record(seq: int) -> Record:
    digest = text_digest(SALT, "content", b"secret %d" % seq)
    parts = (b"record %d" % seq, digest)
    texts = (Text("content", digest, b"secret %d" % seq), Text("arguments", None, None))
    return Record(seq, leaf_of(parts), parts, SALT, texts)


RECORDS = [a_record(seq) for seq in range(5)]
LEAVES = {record.seq: record.leaf for record in RECORDS}


def changed(seq: int, **values: object) -> list[Record]:
    return [replace(one, **values) if one.seq == seq else one for one in RECORDS]


def found(records: list[Record], expected: range | None = None) -> list[tuple[Kind, str]]:
    return [(f.kind, f.place) for f in check_records(ORIGIN, records, LEAVES, expected).findings]


def test_good_records():
    report = check_records(ORIGIN, iter(RECORDS), LEAVES)
    assert report.ok
    assert (report.records, report.texts_verified, report.texts_erased) == (5, 5, 0)


def test_erased_texts_leave_the_leaf_and_are_not_called_verified():
    erased = [replace(r, salt=None, texts=tuple(replace(t, text=None) for t in r.texts)) for r in RECORDS]
    report = check_records(ORIGIN, erased, LEAVES)
    assert report.ok
    assert (report.texts_verified, report.texts_erased) == (0, 5)


def test_a_changed_record():
    assert found(changed(2, parts=(b"other",))) == [(Kind.LEAF_MISMATCH, f"{ORIGIN} seq 2")]


def test_a_record_changed_together_with_its_own_leaf():
    assert found(changed(2, parts=(b"other",), leaf=leaf_of((b"other",)))) == [
        (Kind.LEAF_MISMATCH, f"{ORIGIN} seq 2")
    ]


def test_a_stored_leaf_changed_alone():
    assert found(changed(2, leaf=bytes(32))) == [(Kind.LEAF_MISMATCH, f"{ORIGIN} seq 2")]


def test_two_records_swapped():
    swapped = [replace(RECORDS[1], seq=0), replace(RECORDS[0], seq=1), *RECORDS[2:]]
    assert [kind for kind, _ in found(swapped)] == [Kind.LEAF_MISMATCH] * 2


@pytest.mark.parametrize(
    ("text", "salt"), [(b"other", SALT), (b"secret 2", None), (b"", SALT), (b"secret 2", b"x")]
)
def test_a_changed_text(text, salt):
    texts = (replace(RECORDS[2].texts[0], text=text),)
    assert found(changed(2, texts=texts, salt=salt)) == [(Kind.TEXT_MISMATCH, f"{ORIGIN} seq 2")]


def test_a_text_slipped_in():
    texts = (*RECORDS[2].texts, Text("modified_arguments", None, b"slipped in"))
    assert found(changed(2, texts=texts)) == [(Kind.TEXT_UNBOUND, f"{ORIGIN} seq 2")]


def test_records_missing():
    assert found(RECORDS[:1] + RECORDS[4:]) == [(Kind.RECORD_MISSING, f"{ORIGIN} seq 1-3")]
    assert found(RECORDS[3:], expected=range(3, 5)) == []
    assert found(RECORDS[4:], expected=range(3, 5)) == [(Kind.RECORD_MISSING, f"{ORIGIN} seq 3")]


def test_a_record_twice():
    assert found([*RECORDS, RECORDS[1]]) == [(Kind.RECORD_DUPLICATE, f"{ORIGIN} seq 1")]


def test_a_record_that_the_ledger_does_not_know():
    assert found([*RECORDS, a_record(9)]) == [(Kind.RECORD_UNKNOWN, f"{ORIGIN} seq 9")]


def test_a_forged_number_costs_no_counting():
    far = 2**60
    records = [*RECORDS[:2], replace(a_record(9), seq=far)]
    places = [place for kind, place in found(records, range(far + 1)) if kind is Kind.RECORD_MISSING]
    assert places == [f"{ORIGIN} seq 2-{far - 1}"]
