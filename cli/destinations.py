"""`praetor destinations`: what is configured, whether it is right, and whether it takes an event."""

import json
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.destination_files import outbound_of, read_destinations
from cli.options import DataDir, JsonOutput
from cli.trials import try_each
from consumers.delivery.trial import trial_event
from runtime.errors import PraetorError
from runtime.settings import load_settings
from sinks.destination import Destination
from sinks.registry import make_sink

destinations_app = typer.Typer(no_args_is_help=True, help="Where events are delivered to: check and try it.")

HEADINGS = ("name", "type", "format", "kinds", "texts")


@destinations_app.command("list")
def list_(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """List the destinations that PRAETOR_DESTINATIONS names: what each is sent, and in which format.

    Example: praetor destinations list
    """
    found = read_destinations(load_settings(data))
    rows = [_row(destination) for destination in found]
    if as_json:
        typer.echo(json.dumps([dict(zip(HEADINGS, row, strict=True)) for row in rows]))
        return
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _row(destination: Destination) -> tuple[str, ...]:
    document = destination.document
    kinds, texts = ", ".join(document.feed.kinds), ", ".join(document.texts)
    return destination.name, str(document.to["type"]), document.format, kinds, texts


@destinations_app.command()
def check(data: DataDir = None) -> None:
    """Check the files of destinations, and that their secrets are there; nothing is sent.

    Example: PRAETOR_DESTINATIONS=destinations/ praetor destinations check
    """
    settings = load_settings(data)
    found = read_destinations(settings)
    outbound = outbound_of(settings)
    wrong = []
    for destination in found:
        try:
            make_sink(destination, outbound)
        except PraetorError as error:
            wrong.append(f"{destination.name}: {error}")
    if wrong:
        raise PraetorError("\n".join(wrong))
    typer.echo(f"{len(found)} {'destination is' if len(found) == 1 else 'destinations are'} well")


@destinations_app.command()
def test(
    names: Annotated[list[str] | None, typer.Argument(help="Only these; all by default.")] = None,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Send one event, marked as a trial, to each destination, and tell what became of it.

    Example: praetor destinations test splunk-main
    """
    settings = load_settings(data)
    outbound = outbound_of(settings)
    found = {d.name: d for d in read_destinations(settings)}
    if unknown := sorted(set(names or ()) - found.keys()):
        raise PraetorError(f"no destination {', '.join(unknown)}; there are {', '.join(found)}")
    chosen = names or found
    try_each({name: (partial(make_sink, found[name], outbound), trial_event()) for name in chosen}, as_json)
