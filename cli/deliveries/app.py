"""`praetor deliveries`: what destinations refused, and sending it again."""

import asyncio
import base64
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.deliveries.reading import chosen, event_of_kept, read_kept
from cli.deliveries.retrying import retry
from cli.deliveries.skipping import skip
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.settings import load_settings
from sinks.formats import plain

deliveries_app = typer.Typer(
    no_args_is_help=True,
    help="What destinations refused or missed: look at it, send it again, go on without it.",
)
deliveries_app.command()(retry)
deliveries_app.command()(skip)

FIELDS = ("destination", "id", "kind", "topic", "partition", "source_offset", "tries", "reason")


@deliveries_app.command("list")
def list_(
    destination: Annotated[str | None, typer.Option(help="Only what this destination refused.")] = None,
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List what destinations refused for good, with their own answers; nothing of it is lost.

    Example: praetor deliveries list --destination splunk-main
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    kept = chosen(asyncio.run(read_kept(settings)), destination, None)
    if as_json:
        typer.echo(json.dumps([{name: record[name] for name in FIELDS} for record in kept]))
        return
    if not kept:
        typer.echo("nothing is kept aside: destinations took all that they were sent")
        return
    table = Table()
    for heading in ("destination", "id", "tries", "reason"):
        table.add_column(heading)
    for record in kept:
        words = (record["destination"], record["id"], str(record["tries"]), record["reason"])
        table.add_row(*(Text(word) for word in words))
    Console().print(table)


@deliveries_app.command()
def show(
    event_id: Annotated[str, typer.Argument(help="An id, as `list` prints it.")],
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
) -> None:
    """Show a kept event whole, as JSON: what it holds, and what each destination said of it.

    Example: praetor deliveries show 0a1b2c3d/7/1234
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    for record in chosen(asyncio.run(read_kept(settings)), None, [event_id]):
        told = {name: record[name] for name in FIELDS}
        told["event"] = plain.document(event_of_kept(record))
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=_text))


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
