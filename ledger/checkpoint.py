"""Checkpoints of a partition's log (https://c2sp.org/tlog-checkpoint): its size and root, signed."""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import LedgerError, MalformedCheckpoint
from ledger.keys import NoteKey, VerifyKey, decode_base64
from ledger.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from ledger.note import open_note, sign_note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log's tree was at one size.

    Attributes:
        origin: which log: `<log_id>/<partition>`.
        size: leaves in the tree.
        root: its root, 32 bytes.
        extensions: further lines, opaque, none of them empty. The specification advises against them.

    Raises:
        MalformedCheckpoint: a value cannot be written as a checkpoint.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise MalformedCheckpoint("checkpoint: its origin or an extension line is empty or has a newline")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise MalformedCheckpoint(f"checkpoint of {self.origin}: size {self.size} or its root is no such")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedCheckpoint(
                f"checkpoint of {self.origin}: size 0 with the root of a tree with leaves"
            )

    def to_text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def origin(log_id: str, partition: int) -> str:
    """The identity of a partition's log. One key, named after the log id, signs for all its partitions."""
    return f"{log_id}/{partition}"


def sign_checkpoint(checkpoint: Checkpoint, *keys: NoteKey) -> str:
    """The signed note. The caller sees to it that only committed trees are signed, and none twice unlike."""
    return sign_note(checkpoint.to_text(), keys)


def open_checkpoint(text: str, known: Iterable[VerifyKey], origin: str) -> Checkpoint:
    """The checkpoint that a note holds, once a known key's signature and the origin are verified.

    Raises:
        MalformedNote, BadSignature, UnknownSigner: as `ledger.note.open_note`.
        MalformedCheckpoint: the note's text is no checkpoint, or one of another log.
    """
    return checkpoint_of(open_note(text, known).text, origin)


def checkpoint_of(text: str, origin: str) -> Checkpoint:
    """Read the text of a note that was verified; it must be a checkpoint of this log.

    Raises:
        MalformedCheckpoint: it is no checkpoint, or one of another log.
    """
    checkpoint = read_checkpoint(text)
    if checkpoint.origin != origin:
        raise MalformedCheckpoint(f"checkpoint of {checkpoint.origin!r} where one of {origin!r} belongs")
    return checkpoint


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text under a note's signatures. It verifies nothing: see `open_checkpoint`.

    Raises:
        MalformedCheckpoint: the text is no checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise MalformedCheckpoint("checkpoint: fewer than three lines (origin, size, root)")
    name, size, root, *extensions = lines[:-1]
    if not re.fullmatch("0|[1-9][0-9]{0,18}", size):
        raise MalformedCheckpoint(f"checkpoint of {name}: its size is not a decimal number: {size[:40]!r}")
    try:
        return Checkpoint(name, int(size), decode_base64(root), tuple(extensions))
    except MalformedCheckpoint:
        raise
    except LedgerError as error:
        raise MalformedCheckpoint(f"checkpoint of {name}: its root is {error}") from None
