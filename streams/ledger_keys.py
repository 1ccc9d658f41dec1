"""The keys that sign checkpoints: one, and in a roll-over the next beside it; each a file or a command."""

from dataclasses import dataclass

from ledger.keys import NoteKey, SigningKey
from runtime.errors import PraetorError
from runtime.settings import Settings
from streams.command_key import command_key
from streams.keyring import LEDGER, NEXT, add_public, key_file, read_signing_key

PROBE = b"praetor: is this key at hand?\n"


@dataclass(frozen=True)
class LedgerKeys:
    """The key in force, and the one that is to follow it, if any: then both sign."""

    current: NoteKey
    next: NoteKey | None = None

    @property
    def signers(self) -> tuple[NoteKey, ...]:
        """Whoever signs now."""
        return (self.current,) if self.next is None else (self.current, self.next)

    @property
    def at_hand(self) -> bool:
        """Whether signing takes no more than some computing."""
        return all(isinstance(key, SigningKey) for key in self.signers)

    def check(self) -> None:
        """Have each key that is not at hand sign something that is no checkpoint. Blocks.

        Raises:
            SigningFailed: one cannot.
        """
        for key in self.signers:
            if not isinstance(key, SigningKey):
                key.sign(PROBE)


def read_ledger_keys(settings: Settings) -> LedgerKeys:
    """The keys as the settings say: `ledger_key_command`, else ledger.key; and the same for the next one.

    Raises:
        PraetorError: a key is missing, unreadable, malformed, or open to others; a setting is none.
    """
    current: NoteKey
    if settings.ledger_key_command:
        current = command_key(settings.ledger_key_command, settings.ledger_key_public, "ledger_key_command")
    else:
        current = read_signing_key(settings.keys, LEDGER)
    return LedgerKeys(current, _next(settings))


def keep_public(settings: Settings) -> None:
    """Write the public keys of the signing commands into ledger.pub, so that no key file is made for them.

    Raises:
        PraetorError: a setting is none, or the folder cannot be written.
    """
    try:
        settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        for key in read_ledger_keys(settings).signers:
            add_public(settings.keys, LEDGER, key.verify_key)
    except OSError as error:
        raise PraetorError(f"cannot write keys into {settings.keys}: {error.strerror}") from error


def _next(settings: Settings) -> NoteKey | None:
    command, public = settings.ledger_next_key_command, settings.ledger_next_key_public
    if command:
        return command_key(command, public, "ledger_next_key_command")
    if key_file(settings.keys, LEDGER, NEXT).exists():
        return read_signing_key(settings.keys, LEDGER, NEXT)
    return None
