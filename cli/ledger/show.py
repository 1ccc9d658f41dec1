"""`praetor ledger show`: the newest checkpoint of each partition."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.ledger.places import From, Place, chosen, opened
from cli.ledger.sources import Log
from cli.options import DataDir, JsonOutput, TopicPrefix
from ledger.checkpoint import open_checkpoint
from ledger.errors import LedgerError
from ledger.keys import VerifyKey
from runtime.errors import PraetorError
from runtime.settings import load_settings
from streams.keyring import LEDGER, read_verify_keys


def show(
    partition: Annotated[int | None, typer.Option(min=0, help="This partition only.")] = None,
    notes: Annotated[
        bool,
        typer.Option("--notes", help="Print the signed notes: keep them elsewhere, for verify --witness."),
    ] = False,
    place: From = Place.kafka,
    as_json: JsonOutput = False,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
) -> None:
    """Show the newest checkpoint of each partition; their signatures are verified, the leaves are not.

    Example: praetor ledger show --notes > witness.txt
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    keys = read_verify_keys(settings.keys, LEDGER)
    with opened(place, settings) as source:
        found = [(log, source.newest(log)) for log in chosen(source.logs(), partition)]
    rows = [_row(log, record, keys) for log, record in found if record is not None]
    if notes:
        typer.echo("\n".join(row["note"] for row in rows), nl=False)
    elif as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        _draw(rows, len(found) - len(rows))


def _row(log: Log, record: dict[str, Any], keys: list[VerifyKey]) -> dict[str, Any]:
    try:
        checkpoint = open_checkpoint(record["note"], keys, log.origin)
    except LedgerError as error:
        raise PraetorError(
            f"the newest checkpoint of {log.origin} does not hold: {error}; praetor ledger verify says more"
        ) from error
    return {
        "log_id": log.log_id,
        "partition": log.partition,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "received_at": datetime.fromtimestamp(record["received_at"] / 1000, UTC).isoformat(
            timespec="milliseconds"
        ),
        "note": record["note"],
    }


def _draw(rows: list[dict[str, Any]], without: int) -> None:
    console = Console(soft_wrap=True, highlight=False)
    table = Table("log", "size", "root", "received at", box=None)
    for row in rows:
        origin = f"{row['log_id']}/{row['partition']}"
        table.add_row(origin, str(row["size"]), row["root"], row["received_at"])
    wide = Console(width=max(console.width, 160), highlight=False) if not console.is_terminal else console
    wide.print(table)
    if without:
        console.print(f"{without} partitions have no checkpoint yet")
