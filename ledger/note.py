"""C2SP signed notes (https://c2sp.org/signed-note), as Go's golang.org/x/mod/sumdb/note reads them."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.errors import BadSignature, LedgerError, MalformedNote, UnknownSigner
from ledger.keys import NoteKey, VerifyKey, decode_base64, is_name

MAX_SIGNATURES = 100
"""More on one note are refused, as Go's implementation does."""

PREFIX = "\u2014 "
"""An em dash and a space: every signature line begins with them."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, and the base64 of the key's hash (4 bytes) and the signature."""

    name: str
    base64: str

    @property
    def hash(self) -> bytes:
        """The id of the key, 4 bytes."""
        return decode_base64(self.base64)[:4]

    @property
    def raw(self) -> bytes:
        """The signature's bytes."""
        return decode_base64(self.base64)[4:]


@dataclass(frozen=True, slots=True)
class Note:
    """A text (ending in a newline), the signatures that were verified, and those by keys nobody knows."""

    text: str
    verified: tuple[Signature, ...]
    unverified: tuple[Signature, ...] = ()


def sign_note(text: str, keys: Sequence[NoteKey], existing: Iterable[Signature] = ()) -> str:
    """The note: `text`, a blank line, the existing signatures, then one of each key.

    An existing signature by one of the keys is replaced.

    Raises:
        MalformedNote: the text does not end in a newline, has control characters, or nobody signs.
    """
    _check_characters(text)
    if not text.endswith("\n"):
        raise MalformedNote("note: the text does not end in a newline")
    ours = {(key.name, key.verify_key.hash) for key in keys}
    lines = [_line(s.name, s.hash + s.raw) for s in existing if (s.name, s.hash) not in ours]
    lines += [_line(key.name, key.verify_key.hash + key.sign(text.encode())) for key in keys]
    if not lines:
        raise MalformedNote("note: no key signs it")
    return f"{text}\n{''.join(lines)}"


def open_note(message: str, known: Iterable[VerifyKey]) -> Note:
    """Read a signed note and verify each signature that is by a known key.

    Signatures by other keys are kept as unverified and vouch for nothing; of several by one key the first
    counts.

    Raises:
        MalformedNote: the message is not a signed note.
        BadSignature: a signature by a known key is false.
        UnknownSigner: no known key signed.
    """
    text, signatures = _parse(message)
    keys = {(key.name, key.hash): key for key in known}
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified: dict[Signature, None] = {}
    for signature in signatures:
        who = (signature.name, signature.hash)
        if who not in keys:
            unverified[signature] = None
        elif who not in verified:
            if not keys[who].verifies(text.encode(), signature.raw):
                raise BadSignature(f"note: the signature of {who[0]}+{who[1].hex()} is false")
            verified[who] = signature
    if not verified:
        names = ", ".join(f"{s.name}+{s.hash.hex()}" for s in unverified)
        raise UnknownSigner(f"note: signed by none of the keys given, only by {names}")
    return Note(text, tuple(verified.values()), tuple(unverified))


def _line(name: str, raw: bytes) -> str:
    return f"{PREFIX}{name} {b64encode(raw).decode()}\n"


def _parse(message: str) -> tuple[str, list[Signature]]:
    _check_characters(message)
    body, blank, block = message.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise MalformedNote("note: it does not end in a blank line and signature lines")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNote(f"note: more than {MAX_SIGNATURES} signatures")
    return body + "\n", [_signature(line, number) for number, line in enumerate(lines, 1)]


def _signature(line: str, number: int) -> Signature:
    name, _, encoded = line.removeprefix(PREFIX).partition(" ")
    if not line.startswith(PREFIX) or not is_name(name):
        raise MalformedNote(f"note: signature line {number} is not '{PREFIX}<name> <base64>'")
    try:
        raw = decode_base64(encoded)
    except LedgerError as error:
        raise MalformedNote(f"note: signature line {number}: {error}") from None
    if len(raw) < 5:
        raise MalformedNote(f"note: signature line {number} is too short to hold a signature")
    return Signature(name, encoded)


def _check_characters(text: str) -> None:
    found = re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff]", text)
    if found:
        raise MalformedNote(
            f"note: character {found.start()} is {found[0]!r}: only text and newlines belong there"
        )
