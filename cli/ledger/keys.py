"""`praetor ledger keys`: the public keys, a new pair, the roll-over to the next one."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from cli.ledger.places import Place, opened
from cli.options import DataDir, JsonOutput, TopicPrefix
from ledger.errors import LedgerError, MalformedKey
from ledger.keys import VerifyKey, check_name
from ledger.note import open_note
from ledger.rollover import rollover_line
from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings
from streams.keyring import CONTROL, LEDGER, NEXT, create_key, key_file, read_verify_keys
from streams.ledger_keys import keep_public, read_ledger_keys

RESTART = "restart every `praetor govern`, then: praetor ledger keys retire"
ROLES = {LEDGER: "signs checkpoints", CONTROL: "signs orders on agent.control"}

keys_app = typer.Typer()


@keys_app.callback(invoke_without_command=True)
def keys(context: typer.Context, data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Print the public keys: give the ledger's to whoever is to verify it.

    Each with its role, its file and its text (vkey). Docs: docs/operations/keys.md.

    Example: praetor ledger keys --json
    """
    if context.invoked_subcommand is not None:
        return
    folder = load_settings(data).keys
    there = [role for role in ROLES if (folder / f"{role}.pub").exists()]
    if LEDGER not in there:
        read_verify_keys(folder, LEDGER)
    rows = [
        {"role": role, "what": ROLES[role], "file": str(folder / f"{role}.pub"), "vkey": key.to_text()}
        for role in there
        for key in read_verify_keys(folder, role)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['role']}: {row['what']}; {row['file']}\n  {row['vkey']}")


@keys_app.command()
def new(
    data: DataDir = None,
    name: Annotated[str, typer.Option(help="The key's name, as it stands on notes.")] = "",
) -> None:
    """Make the ledger's key pair where there is none: ledger.key (secret, mode 0600) and ledger.pub.

    `praetor topics create` makes one with a new log; this is for keys that are made elsewhere beforehand.

    Example: praetor ledger keys new --name acme-ledger-1
    """
    folder = load_settings(data).keys
    name = _checked(name or _new_name())
    secret, public = folder / f"{LEDGER}.key", folder / f"{LEDGER}.pub"
    if public.exists() and not secret.exists():
        raise PraetorError(
            f"{public} is there, but {secret} is not: bring that back; or move {public.name} away, make a new"
            " pair, and add the old file's lines to the new one, so that old checkpoints still verify"
        )
    key = create_key(folder, LEDGER, name)
    typer.echo(f"{secret} is secret; give {public} to whoever verifies:")
    typer.echo(key.verify_key.to_text())


@keys_app.command()
def public(
    name: Annotated[str, typer.Argument(help="The key's name, as it is to stand on notes.")],
    pem: Annotated[Path, typer.Argument(help="Its public key as PEM, as a KMS or openssl exports it.")],
) -> None:
    """Print an Ed25519 public key that is kept elsewhere as a verifier key, for PRAETOR_LEDGER_KEY_PUBLIC.

    Example: praetor ledger keys public acme-ledger kms.pem
    """
    try:
        key = load_pem_public_key(pem.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise PraetorError(f"{pem}: no public key in PEM can be read: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise PraetorError(f"{pem} holds another kind of key than Ed25519")
    typer.echo(VerifyKey(_checked(name), key.public_bytes_raw()).to_text())


@keys_app.command()
def rotate(
    data: DataDir = None,
    name: Annotated[str, typer.Option(help="The new key's name, as it stands on notes.")] = "",
) -> None:
    """Begin a roll-over: make the next key (ledger.next.key). Workers started from now on sign with both.

    Then restart every govern worker, one after the other, and end the overlap with `praetor ledger keys
    retire`. Whoever trusts the old key goes on trusting the log: the checkpoints of the overlap name both
    keys and are signed by both. Where a command is the next key, none is made.

    Example: praetor ledger keys rotate --name acme-ledger-2
    """
    settings = load_settings(data)
    if settings.ledger_next_key_command:
        keep_public(settings)
        typer.echo(f"ledger.pub knows the next key; {RESTART}")
        return
    keys = read_ledger_keys(settings)
    if keys.next is not None:
        raise PraetorError(f"a roll-over to {keys.next.verify_key.id} is under way: {RESTART}")
    key = create_key(settings.keys, LEDGER, _checked(name or _new_name()), NEXT)
    secret = key_file(settings.keys, LEDGER, NEXT)
    typer.echo(f"{secret} is secret; its public half was added to ledger.pub:")
    typer.echo(key.verify_key.to_text())
    typer.echo(f"Give it to every worker's folder of keys; {RESTART}")


@keys_app.command()
def retire(data: DataDir = None, topic_prefix: TopicPrefix = "") -> None:
    """End a roll-over: the old key's file is replaced by the next one's, once both have signed everywhere.

    Refused while the newest checkpoint of any partition is not by both. Afterwards restart the workers.

    Example: praetor ledger keys retire
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    keys = read_ledger_keys(settings)
    if keys.next is None:
        raise PraetorError("no roll-over is under way: `praetor ledger keys rotate` begins one")
    old, new = keys.current.verify_key, keys.next.verify_key
    with opened(Place.kafka, settings) as source:
        behind = [log.partition for log in source.logs() if not _is_by_both(source.newest(log), old, new)]
    if behind:
        raise PraetorError(
            f"the newest checkpoint of partitions {', '.join(map(str, behind))} is not signed by both keys:"
            " restart every govern worker with both, wait some seconds, then try again"
        )
    todo = _replace(settings)
    typer.echo(f"{old.id} is retired; {new.id} signs alone from the next start on.")
    typer.echo(f"{todo}Do the same in every worker's folder of keys, then restart each `praetor govern`.")


def _is_by_both(record: dict[str, Any] | None, old: VerifyKey, new: VerifyKey) -> bool:
    try:
        note = open_note(record["note"] if record else "", [old, new])
    except LedgerError:
        return False
    return len(note.verified) == 2 and f"\n{rollover_line(old, new)}\n" in note.text


def _replace(settings: Settings) -> str:
    """Put the next key in the old one's place; what is left to a person, in words."""
    current, following = key_file(settings.keys, LEDGER), key_file(settings.keys, LEDGER, NEXT)
    try:
        if settings.ledger_next_key_command:
            current.unlink(missing_ok=True)
            return "Set PRAETOR_LEDGER_KEY_… to what PRAETOR_LEDGER_NEXT_KEY_… are, and unset those. "
        following.replace(current)
    except OSError as error:
        raise PraetorError(f"{current}: {error.strerror}; nothing was retired") from error
    return "Unset PRAETOR_LEDGER_KEY_…. " if settings.ledger_key_command else ""


def _new_name() -> str:
    return f"praetor-ledger-{secrets.token_hex(4)}"


def _checked(name: str) -> str:
    try:
        check_name(name)
    except MalformedKey as error:
        raise PraetorError(str(error)) from error
    return name
