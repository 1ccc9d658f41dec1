"""`praetor ledger keys`: the public keys, and a new pair."""

import json
import secrets
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from ledger.errors import MalformedKey
from ledger.keys import check_name
from runtime.errors import PraetorError
from runtime.settings import load_settings
from streams.keyring import CONTROL, LEDGER, create_key, read_verify_keys

ROLES = {LEDGER: "signs checkpoints", CONTROL: "signs orders on agent.control"}

keys_app = typer.Typer(help="Print the public keys: give the ledger's to whoever is to verify it.")


@keys_app.callback(invoke_without_command=True)
def keys(context: typer.Context, data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Print the public keys: their role, file and text (vkey)."""
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
    """
    folder = load_settings(data).keys
    name = name or f"praetor-ledger-{secrets.token_hex(4)}"
    try:
        check_name(name)
    except MalformedKey as error:
        raise PraetorError(str(error)) from error
    secret, public = folder / f"{LEDGER}.key", folder / f"{LEDGER}.pub"
    if public.exists() and not secret.exists():
        raise PraetorError(
            f"{public} is there, but {secret} is not: bring that back; or move {public.name} away, make a new"
            " pair, and add the old file's lines to the new one, so that old checkpoints still verify"
        )
    key = create_key(folder, LEDGER, name)
    typer.echo(f"{secret} is secret; give {public} to whoever verifies:")
    typer.echo(key.verify_key.to_text())
