"""Signing and verifying keys as files: one text line each, as C2SP notes write keys."""

import os
import secrets
import stat
from pathlib import Path

from ledger.errors import MalformedKey
from ledger.keys import SigningKey, VerifyKey
from runtime.errors import PraetorError

LEDGER = "ledger"
CONTROL = "control"
POLICY = "policy"
NEXT = "next"


def create_key(folder: Path, role: str, name: str, state: str = "") -> SigningKey:
    """Make a key pair: `<role>.key` (mode 0600), and its public half as a further line of `<role>.pub`.

    With a `state` the file is `<role>.<state>.key`. A `<role>.pub` that is there already is added to.

    Raises:
        PraetorError: the key is there already, or the folder cannot be written.
    """
    key = SigningKey(name, secrets.token_bytes(32))
    secret = key_file(folder, role, state)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(key.to_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        add_public(folder, role, key.verify_key)
    except FileExistsError as error:
        raise PraetorError(f"{secret} is there already; a key is never overwritten") from error
    except OSError as error:
        remedy = "let this user write there, or name another folder (--data, PRAETOR_KEYS_DIR)"
        raise PraetorError(f"cannot write keys into {folder}: {error.strerror}; {remedy}") from error
    return key


def key_file(folder: Path, role: str, state: str = "") -> Path:
    """Where a signing key is kept."""
    return folder / (f"{role}.{state}.key" if state else f"{role}.key")


def add_public(folder: Path, role: str, key: VerifyKey) -> None:
    """Add a line to `<role>.pub`, whole or not at all; one that is there already is not added again.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / f"{role}.pub"
    lines = path.read_text().splitlines() if path.exists() else []
    if key.to_text() in lines:
        return
    whole = path.with_suffix(".pub.new")
    whole.write_text("\n".join([*lines, key.to_text()]) + "\n")
    whole.replace(path)


def read_signing_key(folder: Path, role: str, state: str = "") -> SigningKey:
    """Read `<role>.key`, or `<role>.<state>.key`.

    Raises:
        PraetorError: missing, unreadable, malformed, or open to others. No message repeats the key.
    """
    path = key_file(folder, role, state)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise PraetorError(
                f"{path} is open to others than its owner (mode {mode:04o}): chmod 600 {path}. If somebody"
                " may have read it, make a new key: see `praetor ledger keys rotate --help`"
            )
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
    return read_key_file(folder / f"{role}.pub")


def read_policy_keys(folder: Path) -> list[VerifyKey]:
    """Whose signatures of bundles are believed: `policy.pub`; where there is none, the control keys.

    Raises:
        PraetorError: as `read_verify_keys`.
    """
    return read_verify_keys(folder, POLICY if (folder / f"{POLICY}.pub").exists() else CONTROL)


def read_key_file(path: Path) -> list[VerifyKey]:
    """Read a file of public keys, one a line.

    Raises:
        PraetorError: missing, unreadable, malformed or empty.
    """
    try:
        keys = [VerifyKey.from_text(line) for line in path.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise PraetorError(
            f"no public key {path}: {error.strerror}; name its folder by PRAETOR_KEYS_DIR"
        ) from error
    except (MalformedKey, UnicodeDecodeError) as error:
        raise PraetorError(f"{path}: {error}") from error
    if not keys:
        raise PraetorError(f"{path} holds no key")
    return keys
