"""What goes wrong when keys, notes, checkpoints and proofs are read or made."""

from runtime.errors import PraetorError


class LedgerError(PraetorError, ValueError):
    """A value given to the ledger is not what it should be; the message says which, and why."""


class MalformedKey(LedgerError):
    """A key's text is not in Go's note encoding, or its hash is not that of the key."""


class MalformedNote(LedgerError):
    """A text is not a signed note (https://c2sp.org/signed-note)."""


class MalformedCheckpoint(LedgerError):
    """A note's text is not a checkpoint (https://c2sp.org/tlog-checkpoint), or one of another log."""


class BadSignature(LedgerError):
    """A note bears a known key's name and hash, but its signature is not by that key over that text."""


class UnknownSigner(LedgerError):
    """No signature on a note is by a key that the reader knows: nothing it says may be believed."""
