"""What a log's signed checkpoints say among themselves, before any leaf is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint, checkpoint_of
from ledger.errors import BadSignature, LedgerError
from ledger.findings import Finding, Kind, place_of
from ledger.keys import VerifyKey
from ledger.merkle import MAX_SIZE
from ledger.note import open_note
from ledger.rollover import Rollover, Trust, rollover_line


@dataclass(frozen=True, slots=True)
class PlacedNote:
    """A checkpoint's note, and where it was found, in words for whoever reads a finding."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signature and origin are verified, where it was found, and whose keys signed it."""

    place: str
    checkpoint: Checkpoint
    by: frozenset[VerifyKey] = frozenset()


def open_notes(
    origin: str, notes: Iterable[PlacedNote], trusted: Trust
) -> tuple[list[Signed], list[Finding]]:
    """The notes that are checkpoints of this log by a key that counts, and a finding for each that is not."""
    keys = {(key.name, key.hash): key for key in trusted.until}
    signed, findings = [], []
    for note in notes:
        try:
            opened = open_note(note.text, keys.values())
            by = frozenset(keys[one.name, one.hash] for one in opened.verified)
            one = Signed(note.place, checkpoint_of(opened.text, origin), by)
        except BadSignature as error:
            findings.append(Finding(Kind.BAD_SIGNATURE, note.place, str(error)))
        except LedgerError as error:
            findings.append(Finding(Kind.BAD_CHECKPOINT, note.place, str(error)))
        else:
            late = [f"{key.id}, up to size {trusted.until[key]}" for key in by]
            if all(one.checkpoint.size > trusted.until[key] for key in by):
                message = (
                    f"size {one.checkpoint.size} is signed by keys that count only so far: {'; '.join(late)}"
                )
                findings.append(Finding(Kind.BAD_CHECKPOINT, note.place, message))
            else:
                signed.append(one)
    return signed, findings


def retired(everything: list[Signed], trusted: Trust) -> list[Finding]:
    """Checkpoints by a key alone that had handed over before, and keys that handed over to two others.

    A key has handed over once the one that follows it signs without it.
    """
    findings = []
    after: dict[VerifyKey, VerifyKey] = {}
    for one in trusted.rollovers:
        other = after.setdefault(one.old, one.new)
        if other != one.new:
            message = f"{one.old.id} hands over to {one.new.id} at size {one.size}, and to {other.id} as well"
            findings += [Finding(Kind.FORK, place, message) for place in _places(everything, one)]
    for old, new in after.items():
        begun = min(one.size for one in trusted.rollovers if (one.old, one.new) == (old, new))
        alone = [s.checkpoint.size for s in everything if new in s.by and old not in s.by]
        end = min((size for size in alone if size >= begun), default=MAX_SIZE)
        for note in everything:
            if old in note.by and new not in note.by and note.checkpoint.size > end:
                message = f"size {note.checkpoint.size} is signed by {old.id}, retired since size {end}"
                findings.append(Finding(Kind.BAD_CHECKPOINT, note.place, message))
    return findings


def _places(everything: list[Signed], rollover: Rollover) -> list[str]:
    both, line = {rollover.old, rollover.new}, rollover_line(rollover.old, rollover.new)
    found = [s for s in everything if s.by >= both and line in s.checkpoint.extensions]
    return [s.place for s in found if s.checkpoint.size == rollover.size]


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
