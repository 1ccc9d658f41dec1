"""`praetor incident`: what correlate found, and what people say of it."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.incident.ordering import ack, resolve
from cli.incident.reading import find, read_incidents
from cli.incident.releasing import release
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.settings import load_settings
from sinks.formats.words import iso

incident_app = typer.Typer(
    no_args_is_help=True, help="Incidents: what belongs together, what was done, what people say of it."
)
incident_app.command()(ack)
incident_app.command()(resolve)
incident_app.command()(release)

COLUMNS = ("incident_id", "severity", "status", "title", "threats", "denials", "updated")


@incident_app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List the incidents that are not resolved, the newest first.

    Example: praetor incident list --all --json
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    found = asyncio.run(read_incidents(settings))
    found = [one for one in found if every or one["status"] != "resolved"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        typer.echo("no open incident")
        return
    table = Table(*COLUMNS)
    for one in found:
        words = (one["incident_id"], one["severity"], one["status"], one["title"])
        counts = (str(one["threat_count"]), str(one["denial_count"]), iso(one["updated_at"]))
        table.add_row(*(Text(word) for word in (*words, *counts)))
    Console().print(table)


@incident_app.command()
def show(
    incident: Annotated[str, typer.Argument(help="The incident's id, or how it begins.")],
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
) -> None:
    """Show an incident whole, as JSON: its story, what found it, the evidence, what was done.

    Example: praetor incident show inc-9f8e7d6c-3-41
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    found = find(asyncio.run(read_incidents(settings)), incident)
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
