"""`praetor policy keys`: a key of its own for policies."""

import secrets
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from cli.telling import print_json
from ledger.errors import MalformedKey
from ledger.keys import check_name
from runtime.errors import PraetorError
from runtime.settings import load_settings
from streams.keyring import POLICY, read_policy_keys
from streams.policy_key import create_policy_key

keys_app = typer.Typer()


@keys_app.callback(invoke_without_command=True)
def keys(context: typer.Context, data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Print the public keys whose signatures of bundles are believed.

    Those of policy.pub; where there is none, the control keys.

    Example: praetor policy keys --json
    """
    if context.invoked_subcommand is not None:
        return
    trusted = [key.to_text() for key in read_policy_keys(load_settings(data).keys)]
    if as_json:
        print_json(trusted)
    else:
        typer.echo("\n".join(trusted))


@keys_app.command()
def new(
    data: DataDir = None,
    name: Annotated[str, typer.Option(help="The key's name, as it stands on signatures.")] = "",
) -> None:
    """Make a key pair for policies: policy.key (secret, mode 0600) and policy.pub.

    From then on whoever has policy.pub in the folder of keys believes the bundles that its keys signed, and
    no others. Where a command is the key (PRAETOR_POLICY_KEY_COMMAND), only policy.pub is written.

    Example: praetor policy keys new --name acme-policies
    """
    name = name or f"praetor-policy-{secrets.token_hex(4)}"
    try:
        check_name(name)
    except MalformedKey as error:
        raise PraetorError(str(error)) from error
    settings = load_settings(data)
    key = create_policy_key(settings, name)
    typer.echo(f"{settings.keys / POLICY}.pub now holds:")
    typer.echo(key.verify_key.to_text())
    typer.echo(
        f"Give {POLICY}.pub to every worker's folder of keys and restart each `praetor govern`, before you"
        " publish a bundle that it signed. Lines of control keys in it can go once such a bundle is in force"
    )
