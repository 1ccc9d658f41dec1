"""`praetor db`: the tables in ClickHouse."""

import json

import typer
from rich.console import Console
from rich.table import Table

from cli.keeping import keep_command
from cli.options import DataDir, JsonOutput
from cli.rewind import rewind_command
from cli.sums import sums_command
from runtime.settings import load_settings
from sinks.migrate import migrate as apply
from sinks.migrate import status as read_status

db_app = typer.Typer(no_args_is_help=True, help="The tables in ClickHouse.")
db_app.command("rewind")(rewind_command)
db_app.command("sums")(sums_command)
db_app.command("keep")(keep_command)


@db_app.command()
def migrate(data: DataDir = None) -> None:
    """Make the database, and bring it to the newest version. Safe to repeat.

    Example: PRAETOR_CLICKHOUSE_URL=https://clickhouse:8443 praetor db migrate
    """
    settings = load_settings(data)
    applied = apply(settings)
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo(f"database {settings.clickhouse_database} is up to date")


@db_app.command()
def status(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Show which migrations were applied, and which are pending (exit code 1).

    Example: praetor db status --json
    """
    settings = load_settings(data)
    states = read_status(settings)
    if as_json:
        typer.echo(json.dumps([{"migration": name, "state": state} for name, state in states]))
    else:
        table = Table("migration", "state")
        for name, state in states:
            table.add_row(name, state)
        Console().print(table)
    if any(state == "pending" for _, state in states):
        raise typer.Exit(1)
