"""`praetor db sums`: whether the tables of sums say what the decisions say."""

import json
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from runtime.settings import load_settings
from sinks.connection import connect, errors_of
from sinks.migrate import need_migrated
from sinks.rollups import fill, settled


def sums_command(
    remake: Annotated[bool, typer.Option("--remake", help="Make them anew from the decisions.")] = False,
    as_json: JsonOutput = False,
    data: DataDir = None,
) -> None:
    """Compare the tables of sums with the decisions, day by day (exit code 1: they differ), or remake them.

    Archives may run meanwhile. Until it is through, sums that are made anew are too low.

    Example: praetor db sums --json
    """
    settings = load_settings(data)
    need_migrated(settings)
    with errors_of(settings):
        client = connect(settings)
        if remake:
            fill(client)
        found = settled(client)
        client.close()
    if as_json:
        typer.echo(json.dumps([vars(one) for one in found]))
    for one in [] if as_json else found:
        typer.echo(
            f"{one.table}, {one.log_id}/{one.partition}, {one.day}: {one.summed} of {one.decisions} decisions"
        )
    if not found and not as_json:
        typer.echo("the sums are what the decisions say")
    if found:
        raise typer.Exit(1)
