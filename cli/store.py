"""`praetor store`: the database of what people set: bringing it to this version, and who changed what."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.options import DataDir, JsonOutput
from cli.stored import opened
from runtime.settings import load_settings
from sinks.formats.notice import moment
from store.seen import changes as read_changes
from store.store import Store

store_app = typer.Typer(
    no_args_is_help=True, help="Silences, acknowledgements, notes: where they stand, and who changed what."
)


@store_app.command()
def migrate(data: DataDir = None) -> None:
    """Make the store's tables, or bring them to this version. What is there already stays.

    Example: PRAETOR_STORE_URL=postgresql://praetor@db/praetor praetor store migrate
    """
    store = Store(load_settings(data).store)
    try:
        typer.echo(f"the store is at migration {store.migrate()}")
    finally:
        store.close()


@store_app.command()
def changes(
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest first.")] = 50,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List who changed what, when, from what to what: every change of the store is on record.

    Example: praetor store changes --last 10
    """
    with opened(load_settings(data)) as store, store.reading() as session:
        found = read_changes(session, last)
    if as_json:
        names = ("id", "at", "by", "of_table", "of_row", "before", "after")
        typer.echo(json.dumps([{name: getattr(change, name) for name in names} for change in found]))
        return
    table = Table()
    for heading in ("when", "by", "what", "id", "before", "after"):
        table.add_column(heading)
    for change in found:
        words = (moment(change.at), change.by, change.of_table, change.of_row)
        table.add_row(*map(Text, (*words, json.dumps(change.before), json.dumps(change.after))))
    Console().print(table)
