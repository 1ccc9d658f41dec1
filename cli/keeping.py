"""`praetor db keep`: how long ClickHouse keeps rows."""

import json
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from runtime.errors import PraetorError
from runtime.settings import load_settings
from sinks.connection import connect, errors_of
from sinks.keeping import TABLES, keep, kept
from sinks.migrate import need_migrated


def keep_command(
    days: Annotated[
        int | None, typer.Option(help="Keep rows for so many days; without it: only show.")
    ] = None,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="Of this table only; repeatable. Default: all.")
    ] = None,
    tenants: Annotated[
        list[str] | None, typer.Option("--tenant", help="NAME=DAYS: of this tenant, so long; repeatable.")
    ] = None,
    as_json: JsonOutput = False,
    data: DataDir = None,
) -> None:
    """Show how long rows are kept, or say it anew: by table, and by tenant where rows are a tenant's.

    What is past its time goes with ClickHouse's next merges. The ledger (leaves, checkpoints) stays for ever.
    Tenants that are not named again are kept like all others.

    Example: praetor db keep --days 400 --tenant trial=30 --tenant bank=2555

    Example: praetor db keep --days 90 --table actions_by_minute
    """
    own = _days_by_tenant(tenants or [])
    if days is None and (tables or own):
        raise PraetorError("say for how many days all others are kept: --days")
    settings = load_settings(data)
    need_migrated(settings)
    with errors_of(settings):
        client = connect(settings)
        if days is not None:
            keep(client, tables or [of.table for of in TABLES], days, own)
        found = kept(client)
        client.close()
    if as_json:
        typer.echo(json.dumps(found))
    for table, ttl in [] if as_json else found.items():
        typer.echo(f"{table}: {ttl or 'for ever'}")


def _days_by_tenant(given: list[str]) -> dict[str, int]:
    found = {}
    for text in given:
        name, equals, number = text.rpartition("=")
        if not equals or not name or not number.isdecimal():
            raise PraetorError(f"--tenant {text!r} is not NAME=DAYS")
        found[name] = int(number)
    return found
