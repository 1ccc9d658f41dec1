"""How one signing key hands over to the next: a checkpoint that names both, signed by both (docs/adr/0009).

The checkpoint's text has an extension line `praetor-key-rollover <old vkey> <new vkey>`. Both signatures are
over that line: the old key vouches for the new one, and the new one shows that it is held. A second signature
alone would prove nothing, for anybody can add a line of their own under a note.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from ledger.errors import LedgerError
from ledger.keys import VerifyKey
from ledger.merkle import MAX_SIZE

LINE = "praetor-key-rollover"
FOR_EVER = MAX_SIZE


@dataclass(frozen=True, slots=True)
class Rollover:
    """A checkpoint of this size, by both keys, says that `new` follows `old`."""

    size: int
    old: VerifyKey
    new: VerifyKey


@dataclass(frozen=True)
class Trust:
    """Which keys count for one log, and why.

    Attributes:
        until: each key with the greatest size of a checkpoint that it may sign.
        rollovers: the hand-overs between these keys, by size.
    """

    until: Mapping[VerifyKey, int]
    rollovers: Sequence[Rollover] = field(default_factory=tuple)


def rollover_line(old: VerifyKey, new: VerifyKey) -> str:
    """The extension line for `Checkpoint.extensions`."""
    return f"{LINE} {old.to_text()} {new.to_text()}"


def trust(origin: str, notes: Iterable[str], keys: Iterable[VerifyKey]) -> Trust:
    """The keys that count, given those that are trusted beforehand and the hand-overs that the notes hold.

    A trusted key vouches for the one that follows it, and for the one before it up to the hand-over's size.
    What a key is trusted for only up to a size, it can hand on only so far.

    Not promised: anything against whoever holds a trusted key itself; see `ledger.verify`.
    """
    until = dict.fromkeys(keys, FOR_EVER)
    found = sorted({one for note in notes for one in _read(origin, note)}, key=lambda one: one.size)
    before: dict[VerifyKey, int] = {}
    while before != until:
        before = dict(until)
        for one in found:
            if one.size <= until.get(one.old, -1):
                until[one.new] = max(until.get(one.new, -1), until[one.old])
            if one.size <= until.get(one.new, -1):
                until[one.old] = max(until.get(one.old, -1), one.size)
    return Trust(until, tuple(one for one in found if one.old in until and one.new in until))


def _read(origin: str, note: str) -> list[Rollover]:
    if f"\n{LINE} " not in note:
        return []
    try:
        body = note[: note.rindex("\n\n") + 1]
        named = [_keys(line) for line in read_checkpoint(body).extensions if line.startswith(f"{LINE} ")]
        return [Rollover(_signed(origin, note, old, new).size, old, new) for old, new in named if old != new]
    except (LedgerError, ValueError):
        return []  # whatever it is, it hands nothing over; as a checkpoint it is judged elsewhere


def _keys(line: str) -> tuple[VerifyKey, VerifyKey]:
    _, old, new = line.split(" ")
    return VerifyKey.from_text(old), VerifyKey.from_text(new)


def _signed(origin: str, note: str, old: VerifyKey, new: VerifyKey) -> Checkpoint:
    """The checkpoint, which each of the two must have signed."""
    open_checkpoint(note, [old], origin)
    return open_checkpoint(note, [new], origin)
