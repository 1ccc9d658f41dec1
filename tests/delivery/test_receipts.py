"""What receipts say against what Kafka holds: planted holes of one record, and what crashes repeat."""

from array import array
from random import Random
from typing import Any

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from cli.reconcile.holes import Delivered, Found, Kind
from cli.reconcile.receipts import Receipts, compare, runs

TP = TopicPartition("agent.decisions", 3)


def receipt(first: int, last: int, events: int, **more: int) -> dict[str, Any]:
    counts = {"events": events, "filtered": 0, "kept_aside": 0, "skipped": 0, **more}
    return {"first_offset": first, "last_offset": last, **counts}


def compared(
    receipts: list[dict[str, Any]], offsets: list[int], end: int, begin: int = 0
) -> tuple[Found, Delivered]:
    found, told = Found(), Delivered("siem", "webhook")
    known = Receipts(TP)
    for one in receipts:
        known.take(one)
    compare(known, array("q", offsets), (begin, end), found, told)
    return found, told


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[dict[str, Any]], int]:
    """Records with markers between them, delivered in runs; after crashes some are delivered again."""
    rng = Random(draw(st.integers(0, 2**32)))
    offsets = sorted(rng.sample(range(200), rng.randint(1, 120)))
    receipts, place, furthest = [], 0, 0
    while place < len(offsets):
        run = offsets[place : place + rng.randint(1, 20)]
        filtered = rng.randint(0, len(run))
        aside = rng.randint(0, len(run) - filtered)
        receipts.append(
            receipt(run[0], run[-1], len(run) - filtered - aside, filtered=filtered, kept_aside=aside)
        )
        place += len(run)
        furthest = max(furthest, place)
        if rng.random() < 0.3 and place < len(offsets):
            place = rng.randint(max(0, place - 15), place)  # a crash before the commit: read again
    return offsets, receipts, offsets[furthest - 1] + 1


@given(histories())
def test_whatever_crashes_repeat_is_no_hole(history: tuple[list[int], list[dict[str, Any]], int]) -> None:
    offsets, receipts, end = history
    found, told = compared(receipts, offsets, end)
    assert found.ok
    assert told.records == len(offsets) == told.events + told.filtered + told.kept_aside


@given(histories(), st.randoms(use_true_random=False))
def test_a_receipt_that_is_gone_is_a_hole_of_its_records(
    history: tuple[list[int], list[dict[str, Any]], int], rng: Random
) -> None:
    offsets, receipts, end = history
    gone = receipts.pop(rng.randrange(len(receipts)))
    others = {o for r in receipts for o in offsets if r["first_offset"] <= o <= r["last_offset"]}
    missing = [o for o in offsets if gone["first_offset"] <= o <= gone["last_offset"] and o not in others]
    found, _ = compared(receipts, offsets, end)
    assert found.counts.get(Kind.undelivered, 0) == len(missing)


def test_a_record_more_or_less_than_a_receipt_counts() -> None:
    found, _ = compared([receipt(0, 9, 10)], [0, 1, 2, 3, 4, 5, 6, 7, 9], 10)
    (hole,) = found.holes
    assert (hole.kind, hole.first, hole.last, hole.destination) == (Kind.miscounted_receipt, 0, 9, "siem")


def test_one_record_without_a_receipt() -> None:
    found, told = compared([receipt(0, 4, 5), receipt(6, 9, 4)], list(range(10)), 10)
    assert [(h.kind, h.first, h.last) for h in found.holes] == [(Kind.undelivered, 5, 5)]
    assert (told.records, told.events) == (10, 9)


def test_what_a_person_skipped_and_what_retention_removed_is_no_hole() -> None:
    found, told = compared([receipt(0, 4, 5), receipt(5, 7, 0, skipped=3), receipt(8, 9, 2)], [8, 9], 10, 8)
    assert found.ok
    assert (told.records, told.events, told.skipped) == (2, 2, 3)


def test_missing_offsets_become_runs() -> None:
    assert runs(array("q", [0, 1, 4, 5, 9]), [1, 4, 9]) == [(1, 4, 2), (9, 9, 1)]
