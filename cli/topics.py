"""`praetor topics`: create the topics and the log, show them."""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.acls import acls
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.kafka import check_access, common_options
from runtime.settings import Settings, load_settings
from schemas.access import topic_needs
from schemas.registry import register, registry_client
from schemas.topics import DEFAULT_PARTITIONS, TOPICS, topic_name
from streams.ledger_keys import keep_public
from streams.topics import Wanted, create_topics, existing_topics, mint_log, topic_settings, write_genesis

topics_app = typer.Typer(no_args_is_help=True, help="Create and show the topics and the log.")
topics_app.command()(acls)


@topics_app.command()
def create(
    data: DataDir = None,
    partitions: Annotated[
        int, typer.Option(min=1, help="Partitions of a new log; frozen.")
    ] = DEFAULT_PARTITIONS,
    replicas: Annotated[int, typer.Option(min=1, help="Replication factor of new topics.")] = 1,
    topic_prefix: TopicPrefix = "",
    as_json: JsonOutput = False,
) -> None:
    """Create what is missing: topics, keys, the log id, each partition's first progress record.

    Where a Schema Registry is set, the schemas are registered there. Running it again changes nothing.

    Example: praetor topics create --partitions 24 --replicas 3
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    # first: a conflict of ids must stop before there is anything to undo
    schemas = _register(settings) if settings.schema_registry_url else []
    report = asyncio.run(_create(settings, Wanted(partitions, replicas, settings.topic_prefix)))
    report["schemas"] = schemas
    if as_json:
        typer.echo(json.dumps(report))
        return
    created = report["topics"]
    typer.echo(f"log {report['log_id']}: {partitions} partitions; keys in {report['keys']}")
    typer.echo(f"created {', '.join(created) if created else 'nothing: all topics are there'}")
    if schemas:
        typer.echo(f"registered schemas {', '.join(map(str, schemas))} at {settings.schema_registry_url}")


def _register(settings: Settings) -> list[int]:
    with registry_client(settings) as client:
        return register(settings.schema_registry_url, client)


async def _create(settings: Settings, wanted: Wanted) -> dict[str, Any]:
    options = common_options(settings)
    created = await create_topics(options, wanted)
    if settings.ledger_key_command:
        keep_public(settings)
    await check_access(options, topic_needs("admin", wanted.prefix))
    view = await mint_log(options, Path(settings.keys), wanted.partitions, int(time.time() * 1000))
    genesis = await write_genesis(options, view, wanted.prefix)
    return {"log_id": view.log_id, "topics": created, "genesis": genesis, "keys": str(settings.keys)}


@topics_app.command()
def show(data: DataDir = None, topic_prefix: TopicPrefix = "", as_json: JsonOutput = False) -> None:
    """Show each topic's partitions and settings, and where the broker's differ from what they should be.

    Example: praetor topics show --json
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    rows = asyncio.run(_show(settings))
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("topic", "partitions", "setting", "wanted", "in force")
    for row in rows:
        first = (str(row["topic"]), str(row["partitions"] or "missing"))
        for name, (wanted, real) in row["settings"].items():
            table.add_row(*first, name, wanted, real if real == wanted else f"[red]{real}[/red]")
            first = ("", "")
    Console().print(table)


async def _show(settings: Settings) -> list[dict[str, Any]]:
    options = common_options(settings)
    there = await existing_topics(options)
    names = [topic_name(t, settings.topic_prefix) for t in TOPICS]
    await check_access(options, dict.fromkeys(names, ("Describe", "DescribeConfigs")))
    in_force = await topic_settings(options, [n for n in names if n in there])
    return [
        {
            "topic": name,
            "partitions": there.get(name, 0),
            "settings": {k: (v, in_force.get(name, {}).get(k, "")) for k, v in topic.config.items()},
        }
        for topic, name in zip(TOPICS, names, strict=True)
    ]
