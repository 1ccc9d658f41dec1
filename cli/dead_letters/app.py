"""`praetor dead-letters`: look at what did not decode, and publish it again once it does."""

import asyncio
import base64
import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.dead_letters.describing import describe, plain, time_of
from cli.dead_letters.reading import find_letter, newest_letters
from cli.dead_letters.redrive import redrive
from cli.options import DataDir, JsonOutput
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from schemas.codec import Record
from streams.redriven import Redrives, read_redrives

dead_letters_app = typer.Typer(
    no_args_is_help=True, help="Look at actions that did not decode; publish them again."
)
dead_letters_app.command()(redrive)

NARROW, WIDE = 120, 200
LIST_FIELDS = ("received_at", "partition", "source_offset", "stage", "error_class", "message", "value_bytes")


@dead_letters_app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List the newest dead letters: when, which action, why it did not decode, as what it was redriven.

    Example: praetor dead-letters list --limit 10
    """
    settings = load_settings(data)
    letters, redrives = asyncio.run(_list(settings, limit))
    targets = [_target(letter, redrives) for letter in letters]
    if as_json:
        rows = [
            {name: x[name] for name in LIST_FIELDS} | {"redriven_as": to}
            for x, to in zip(letters, targets, strict=True)
        ]
        typer.echo(json.dumps(rows))
        return
    if not letters:
        typer.echo("no dead letters: every action decoded")
        return
    table = Table()
    for heading in ("received", "partition", "offset", "stage", "class", "redriven as"):
        table.add_column(heading, no_wrap=True)
    table.add_column("message")
    for letter, target in zip(letters, targets, strict=True):
        where = (str(letter["partition"]), str(letter["source_offset"]))
        words = (
            letter["stage"],
            letter["error_class"],
            "" if target is None else str(target),
            letter["message"],
        )
        table.add_row(time_of(letter["received_at"]), *where, *(Text(plain(word)) for word in words))
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    Console(width=max(NARROW, columns)).print(table)


async def _list(settings: Settings, limit: int) -> tuple[list[Record], Redrives]:
    letters = await newest_letters(settings, limit)
    return letters, await read_redrives(common_options(settings), settings.topic_prefix)


def _target(letter: Record, redrives: Redrives) -> int | None:
    found = redrives.of(letter["partition"], letter["source_offset"])
    return found.target_offset if found is not None else None


@dead_letters_app.command()
def show(
    partition: Annotated[int, typer.Argument(min=0, help="The action's partition.")],
    offset: Annotated[int, typer.Argument(min=0, help="The action's offset in agent.actions.")],
    raw: Annotated[Path | None, typer.Option(help="Write the raw value's bytes to this file.")] = None,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Show one dead letter whole, with its raw bytes; PARTITION and OFFSET as `list` prints them.

    Example: praetor dead-letters show 3 894 --raw letter.bin
    """
    letter, redrives = asyncio.run(_show(load_settings(data), partition, offset))
    if raw is not None:
        _write(raw, letter["value"] or b"")
    if as_json:
        origin, redriven = redrives.origin(partition, offset), redrives.of(partition, offset)
        more = {
            "origin": origin and {"first_offset": origin.first_offset, "attempt": origin.attempt},
            "redriven": redriven and {"target_offset": redriven.target_offset, "attempt": redriven.attempt},
        }
        typer.echo(json.dumps(letter | more, default=_jsonable))
        return
    for line in describe(letter, redrives):
        typer.echo(line)


async def _show(settings: Settings, partition: int, offset: int) -> tuple[Record, Redrives]:
    letter = await find_letter(settings, partition, offset)
    return letter, await read_redrives(common_options(settings), settings.topic_prefix)


def _jsonable(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _write(path: Path, value: bytes) -> None:
    try:
        path.write_bytes(value)
    except OSError as error:
        raise PraetorError(f"cannot write {path}: {error.strerror}") from error
