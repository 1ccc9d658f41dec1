"""What a verifier found, as values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong (or, for the harmless ones, worth saying)."""

    GAP = "gap"
    DUPLICATE = "duplicate"
    MISPLACED = "misplaced"
    MALFORMED_LEAF = "malformed-leaf"
    ROOT_MISMATCH = "root-mismatch"
    BAD_SIGNATURE = "bad-signature"
    BAD_CHECKPOINT = "bad-checkpoint"
    FORK = "fork"
    ROLLED_BACK = "rolled-back"
    TRUNCATED = "truncated"
    UNSIGNED = "unsigned"
    UNSIGNED_TAIL = "unsigned-tail"
    LEAF_MISMATCH = "leaf-mismatch"
    TEXT_MISMATCH = "text-mismatch"
    TEXT_UNBOUND = "text-unbound"
    RECORD_MISSING = "record-missing"
    RECORD_DUPLICATE = "record-duplicate"
    RECORD_UNKNOWN = "record-unknown"


HARMLESS = frozenset({Kind.UNSIGNED_TAIL})
"""Kinds that every healthy log shows now and then."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what kind, where (a log and sequence numbers, or where a note was read), and why."""

    kind: Kind
    place: str
    message: str

    @property
    def harmless(self) -> bool:
        """Whether a healthy log shows this too."""
        return self.kind in HARMLESS


def runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as (first, last) of each unbroken run, so that a million make one finding."""
    first = last = None
    for number in numbers:
        if first is None or last is None or number != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def place_of(origin: str, first: int, last: int) -> str:
    """A place in a log: `<log_id>/<partition> seq 5` or `… seq 5-9`."""
    return f"{origin} seq {first}" if first == last else f"{origin} seq {first}-{last}"
