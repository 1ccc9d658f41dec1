"""`praetor db`: the tables in ClickHouse."""

import typer
from rich.console import Console
from rich.table import Table

from cli.options import DataDir
from cli.rewind import rewind_command
from runtime.settings import load_settings
from sinks.migrate import migrate as apply
from sinks.migrate import status as read_status

db_app = typer.Typer(no_args_is_help=True, help="The tables in ClickHouse.")
db_app.command("rewind")(rewind_command)


@db_app.command()
def migrate(data: DataDir = None) -> None:
    """Make the database, and bring it to the newest version. Safe to repeat."""
    settings = load_settings(data)
    applied = apply(settings)
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo(f"database {settings.clickhouse_database} is up to date")


@db_app.command()
def status(data: DataDir = None) -> None:
    """Show which migrations were applied, and which are pending (exit code 1)."""
    settings = load_settings(data)
    table = Table("migration", "state")
    states = read_status(settings)
    for name, state in states:
        table.add_row(name, state)
    Console().print(table)
    if any(state == "pending" for _, state in states):
        raise typer.Exit(1)
