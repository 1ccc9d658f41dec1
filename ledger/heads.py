"""What a log's signed checkpoints say among themselves, before any leaf is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.errors import BadSignature, LedgerError
from ledger.findings import Finding, Kind, place_of
from ledger.keys import VerifyKey


@dataclass(frozen=True, slots=True)
class PlacedNote:
    """A checkpoint's note, and where it was found, in words for whoever reads a finding."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signature and origin are verified, and where it was found."""

    place: str
    checkpoint: Checkpoint


def open_notes(
    origin: str, notes: Iterable[PlacedNote], keys: list[VerifyKey]
) -> tuple[list[Signed], list[Finding]]:
    """The notes that are checkpoints of this log by a known key, and a finding for each that is not."""
    signed, findings = [], []
    for note in notes:
        try:
            signed.append(Signed(note.place, open_checkpoint(note.text, keys, origin)))
        except BadSignature as error:
            findings.append(Finding(Kind.BAD_SIGNATURE, note.place, str(error)))
        except LedgerError as error:
            findings.append(Finding(Kind.BAD_CHECKPOINT, note.place, str(error)))
    return signed, findings


def rolled_back(signed: list[Signed], outside: list[Signed]) -> list[Finding]:
    """Sizes that decrease in the order of publication, or that end before what an outsider holds."""
    findings = []
    newest: Signed | None = None
    for one in signed:
        if newest and one.checkpoint.size < newest.checkpoint.size:
            message = (
                f"signs size {one.checkpoint.size}, after {newest.place} signed {newest.checkpoint.size}"
            )
            findings.append(Finding(Kind.ROLLED_BACK, one.place, message))
        else:
            newest = one
    last = newest.checkpoint.size if newest else 0
    for one in outside:
        if one.checkpoint.size > last:
            gone = place_of(one.checkpoint.origin, last, one.checkpoint.size - 1)
            message = (
                f"{gone}: size {one.checkpoint.size} was signed, but the log's own checkpoints end at {last}"
            )
            findings.append(Finding(Kind.ROLLED_BACK, one.place, message))
    return findings


def forks(everything: list[Signed]) -> list[Finding]:
    """Sizes that are signed with two roots: two histories of one log."""
    first: dict[int, Signed] = {}
    findings = []
    for one in everything:
        other = first.setdefault(one.checkpoint.size, one)
        if other.checkpoint.root != one.checkpoint.root:
            log = place_of(one.checkpoint.origin, 0, one.checkpoint.size - 1)
            message = (
                f"{log}: size {one.checkpoint.size} is signed with two roots, the other at {other.place}"
            )
            findings.append(Finding(Kind.FORK, one.place, message))
    return findings
