"""`praetor config`: the settings in force, where each comes from, and what is wrong with them."""

import difflib
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from cli.options import DataDir, JsonOutput
from runtime.errors import PraetorError
from runtime.kafka_security import security_options
from runtime.security import variable
from runtime.settings import Settings, load_settings, origins, secret_names

config_app = typer.Typer(no_args_is_help=True, help="Check and show the settings in force.")

HIDDEN = "**********"


@config_app.command()
def show(
    data: DataDir = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not the default.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Show each setting's value and where it comes from. Secrets are never shown.

    Example: PRAETOR_LOG_LEVEL=debug praetor config show --changed
    """
    settings = load_settings(data)
    where = origins(data)
    rows = [
        {"setting": name, "value": shown(settings, name), "origin": where.get(name, "default")}
        for name in Settings.model_fields
        if not changed or name in where
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("setting", "value", "origin")
    for row in rows:
        table.add_row(row["setting"], row["value"], row["origin"])
    Console().print(table)


@config_app.command()
def check(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Check the settings without contacting anything; exit with 1 if something is wrong.

    Every mistake is named with what to do: values, what does not fit together, files that cannot be read,
    variables that no setting has. `praetor doctor` goes on from here to the broker and ClickHouse.

    Example: praetor config check --json
    """
    wrong = mistakes_in(data)
    if as_json:
        typer.echo(json.dumps({"ok": not wrong, "mistakes": wrong}))
    else:
        for mistake in wrong:
            typer.echo(f"✗ {mistake}")
        if not wrong:
            typer.echo("the settings are in order")
    if wrong:
        raise typer.Exit(1)


def mistakes_in(data: Path | None) -> list[str]:
    """Everything that is wrong with the settings, in words."""
    wrong = unknown_variables()
    try:
        settings = load_settings(data)
        if settings.bootstrap:
            security_options(settings)
    except PraetorError as error:
        wrong.append(str(error))
    return wrong


def unknown_variables() -> list[str]:
    """Variables that look like settings but are none: what they were to change has not changed."""
    known = {variable(name) for name in Settings.model_fields}
    known |= {f"{variable(name)}_FILE" for name in secret_names()}
    wrong = []
    for name in sorted(os.environ):
        if name.startswith("PRAETOR_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f": did you mean {near[0]}?" if near else "; `praetor config show` lists them"
            wrong.append(f"{name} is no setting{meant}")
    return wrong


def shown(settings: Settings, name: str) -> str:
    """A setting's value as text; of a secret only whether there is one."""
    value: Any = getattr(settings, name)
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    return "" if value is None else str(value)
