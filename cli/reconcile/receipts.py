"""Compares the receipts of one destination with the records of one partition.

Every record that a destination has passed stands in a receipt, and a receipt's counts are those of its
records: how many were taken, left out by the filter, and kept aside. After a crash a receipt may stand twice,
and overlap another.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from cli.reconcile.holes import Delivered, Found, Hole, Kind
from schemas.codec import Record


@dataclass
class Receipts:
    """Receipts of one destination and partition, in the order of the records."""

    place: TopicPartition
    spans: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)

    def take(self, receipt: Record) -> None:
        """Take one as it is read."""
        counts = (receipt["events"], receipt["filtered"], receipt["kept_aside"], receipt.get("skipped", 0))
        self.spans.append((receipt["first_offset"], receipt["last_offset"], *counts))

    @property
    def first(self) -> int | None:
        """The first offset that any is about."""
        return min((span[0] for span in self.spans), default=None)


def compare(
    receipts: Receipts, offsets: "array[int]", bounds: tuple[int, int], found: Found, told: Delivered
) -> None:
    """Compare with the offsets of the records between two bounds: what Kafka has yet, and what was passed."""
    begin, end = bounds
    told.records += bisect_left(offsets, end) - bisect_left(offsets, begin)
    covered = begin
    for first, last, events, filtered, aside, skipped in sorted(receipts.spans):
        told.skipped += skipped
        if skipped:
            covered = max(covered, last + 1)
            continue
        if last < begin or first >= end:
            continue
        _add(receipts, (offsets, covered, min(first, end)), Kind.undelivered, found, told)
        if last >= covered:
            part = _count(offsets, max(first, covered), last + 1)
            share = min(part, events)  # of what overlaps, the events of one receipt count
            told.events, told.filtered = told.events + share, told.filtered + min(part - share, filtered)
            told.kept_aside += min(part - share - min(part - share, filtered), aside)
        records = _count(offsets, first, last + 1)
        if first >= begin and records != events + filtered + aside:
            _hole(receipts, Kind.miscounted_receipt, (first, last, records), found, told)
        covered = max(covered, last + 1)
    _add(receipts, (offsets, covered, end), Kind.undelivered, found, told)


def _count(offsets: "array[int]", first: int, end: int) -> int:
    return max(0, bisect_left(offsets, end) - bisect_left(offsets, first))


def _add(
    receipts: Receipts, span: "tuple[array[int], int, int]", kind: Kind, found: Found, told: Delivered
) -> None:
    """A hole, where records stand between two offsets."""
    offsets, first, end = span
    inside = offsets[bisect_left(offsets, first) : bisect_left(offsets, end)]
    if inside:
        _hole(receipts, kind, (inside[0], inside[-1], len(inside)), found, told)


def _hole(receipts: Receipts, kind: Kind, span: tuple[int, int, int], found: Found, told: Delivered) -> None:
    first, last, count = span
    of = receipts.place
    found.add(Hole(kind, of.partition, first, last, count, None, told.destination, of.topic))


def runs(offsets: "array[int]", missing: Iterable[int]) -> list[tuple[int, int, int]]:
    """Missing offsets as runs of neighbours among all offsets: first, last and count of each."""
    found: list[tuple[int, int, int]] = []
    for offset in missing:
        place = bisect_right(offsets, offset) - 1
        if found and place and offsets[place - 1] == found[-1][1]:
            first, _, count = found.pop()
            found.append((first, offset, count + 1))
        else:
            found.append((offset, offset, 1))
    return found
