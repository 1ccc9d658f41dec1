"""Signing and verifying keys as files: one text line each, as C2SP notes write keys."""

import os
import secrets
from pathlib import Path

from ledger.errors import MalformedKey
from ledger.keys import SigningKey, VerifyKey
from runtime.errors import PraetorError

LEDGER = "ledger"
CONTROL = "control"


def create_key(folder: Path, role: str, name: str) -> SigningKey:
    """Make a key pair: `<role>.key` (mode 0600) and `<role>.pub`.

    Raises:
        PraetorError: one is there already, or the folder cannot be written.
    """
    key = SigningKey(name, secrets.token_bytes(32))
    secret = folder / f"{role}.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(key.to_text() + "\n")
        (folder / f"{role}.pub").write_text(key.verify_key.to_text() + "\n")
    except FileExistsError as error:
        raise PraetorError(f"{secret} is there already; a key is never overwritten") from error
    except OSError as error:
        raise PraetorError(f"cannot write keys into {folder}: {error.strerror}") from error
    return key


def read_signing_key(folder: Path, role: str) -> SigningKey:
    """Read `<role>.key`.

    Raises:
        PraetorError: missing, unreadable or malformed. No message repeats the key.
    """
    path = folder / f"{role}.key"
    try:
        return SigningKey.from_text(path.read_text())
    except OSError as error:
        raise PraetorError(
            f"no signing key {path}: {error.strerror}; `praetor topics create` makes the keys of a new log"
        ) from error
    except MalformedKey as error:
        raise PraetorError(f"{path}: {error}") from error


def read_verify_keys(folder: Path, role: str) -> list[VerifyKey]:
    """Read `<role>.pub`: every key in it, one a line.

    Raises:
        PraetorError: missing, unreadable, malformed or empty.
    """
    path = folder / f"{role}.pub"
    try:
        keys = [VerifyKey.from_text(line) for line in path.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise PraetorError(
            f"no public key {path}: {error.strerror}; name its folder by PRAETOR_KEYS_DIR"
        ) from error
    except MalformedKey as error:
        raise PraetorError(f"{path}: {error}") from error
    if not keys:
        raise PraetorError(f"{path} holds no key")
    return keys
