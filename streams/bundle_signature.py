"""Who vouches for a bundle: a C2SP signed note over its digest. No IO.

The note's text is two lines, `praetor-bundle-v1` and the digest, so that a signature of a bundle is none of a
checkpoint or of an order. It names no log: a bundle that is approved may be put in force on any.
"""

import re
from collections.abc import Sequence

from ledger.errors import LedgerError
from ledger.keys import NoteKey, VerifyKey
from ledger.note import open_note, sign_note
from runtime.errors import PraetorError

DOMAIN = "praetor-bundle-v1"
DIGEST = re.compile("sha256:[0-9a-f]{64}")
LARGEST_NOTE = 16_384
"""Characters of a signature; room for a hundred keys."""


def sign_digest(digest: str, *keys: NoteKey) -> str:
    """The note that vouches for a bundle.

    Raises:
        PraetorError: this is no digest, or a key that is elsewhere did not sign.
    """
    if not DIGEST.fullmatch(digest):
        raise PraetorError(f"{digest[:80]!r} is no digest of a bundle: sha256: and 64 hex digits")
    return sign_note(_text(digest), keys)


def check_signature(note: str, digest: str, trusted: Sequence[VerifyKey]) -> tuple[str, ...]:
    """The ids of the trusted keys that signed this digest.

    Raises:
        PraetorError: none did, or the note is none, or of another digest; the message says which.
    """
    if len(note) > LARGEST_NOTE:
        raise PraetorError(f"the signature has more than {LARGEST_NOTE} characters")
    try:
        opened = open_note(note, trusted)
    except LedgerError as error:
        known = ", ".join(key.id for key in trusted)
        raise PraetorError(f"the bundle's signature is not believed: {error}; trusted: {known}") from error
    if opened.text != _text(digest):
        raise PraetorError(f"the signature is of something else than {digest}: {opened.text[:120]!r}")
    return tuple(f"{s.name}+{s.hash.hex()}" for s in opened.verified)


def _text(digest: str) -> str:
    return f"{DOMAIN}\n{digest}\n"
