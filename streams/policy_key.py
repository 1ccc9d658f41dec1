"""The key that signs bundles: a command, else policy.key, else the control key."""

from ledger.keys import NoteKey
from runtime.errors import PraetorError
from runtime.settings import Settings
from streams.command_key import command_key
from streams.keyring import (
    CONTROL,
    POLICY,
    add_public,
    create_key,
    key_file,
    read_signing_key,
    read_verify_keys,
)


def read_policy_key(settings: Settings) -> NoteKey:
    """The key that signs bundles here.

    Whoever publishes needs the control key anyway; a policy key of its own keeps the two apart: what is
    judged by is then vouched for where policies are reviewed, and put in force where the log is run.

    Raises:
        PraetorError: it is missing, unreadable, malformed, or open to others; a setting is none; or bundles
            are to be signed by a policy key (policy.pub is there), and none is at hand.
    """
    if settings.policy_key_command:
        return command_key(settings.policy_key_command, settings.policy_key_public, "policy_key_command")
    if key_file(settings.keys, POLICY).exists():
        return read_signing_key(settings.keys, POLICY)
    if (settings.keys / f"{POLICY}.pub").exists():
        raise PraetorError(
            f"{settings.keys / POLICY}.pub says that policy keys sign bundles, but {POLICY}.key is not there:"
            " sign where it is (`praetor policy sign`), and publish the bundle with its signature"
        )
    return read_signing_key(settings.keys, CONTROL)


def create_policy_key(settings: Settings, name: str) -> NoteKey:
    """Make policy.key, or take the command's key; policy.pub then says whose bundles are believed.

    A policy.pub that was not there begins with the control keys: what they signed is still on the topic.

    Raises:
        PraetorError: a key is there already, or the folder cannot be written; a setting is none.
    """
    folder = settings.keys
    first = not (folder / f"{POLICY}.pub").exists() and (folder / f"{CONTROL}.pub").exists()
    earlier = read_verify_keys(folder, CONTROL) if first else []
    if not settings.policy_key_command and key_file(folder, POLICY).exists():
        raise PraetorError(f"{key_file(folder, POLICY)} is there already; a key is never overwritten")
    command = [read_policy_key(settings)] if settings.policy_key_command else []
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for public in (*earlier, *(key.verify_key for key in command)):
            add_public(folder, POLICY, public)
    except OSError as error:
        raise PraetorError(f"cannot write keys into {folder}: {error.strerror}") from error
    return command[0] if command else create_key(folder, POLICY, name)
