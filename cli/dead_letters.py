"""`praetor dead-letters`: look at what did not decode."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.options import DataDir, JsonOutput
from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, Options, common_options, partition_counts, read_partition
from runtime.settings import Settings, load_settings
from schemas.codec import Record, decode
from schemas.topics import DEAD_LETTERS, topic_name

dead_letters_app = typer.Typer(no_args_is_help=True, help="Look at actions that did not decode.")

WINDOW = 200
BROKER_SECONDS = 30
SHOWN_BYTES = 4096
LIST_FIELDS = ("received_at", "partition", "source_offset", "stage", "error_class", "message", "value_bytes")


@dead_letters_app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List the newest dead letters: when, where the action stands, why it did not decode."""
    settings = load_settings(data)
    letters = asyncio.run(_newest(settings, limit))
    if as_json:
        typer.echo(json.dumps([{name: letter[name] for name in LIST_FIELDS} for letter in letters]))
        return
    if not letters:
        typer.echo("no dead letters: every action decoded")
        return
    table = Table()
    for heading in ("received", "partition", "offset", "stage", "class"):
        table.add_column(heading, no_wrap=True)
    table.add_column("message")
    for letter in letters:
        where = (str(letter["partition"]), str(letter["source_offset"]))
        words = (letter["stage"], letter["error_class"], letter["message"])
        table.add_row(_time(letter), *where, *(Text(plain(word)) for word in words))
    Console().print(table)


@dead_letters_app.command()
def show(
    partition: Annotated[int, typer.Argument(min=0, help="The action's partition.")],
    offset: Annotated[int, typer.Argument(min=0, help="The action's offset in agent.actions.")],
    raw: Annotated[Path | None, typer.Option(help="Write the raw value's bytes to this file.")] = None,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Show one dead letter whole, with its raw bytes; PARTITION and OFFSET as `list` prints them."""
    letter = asyncio.run(_find(load_settings(data), partition, offset))
    if raw is not None:
        _write(raw, letter["value"] or b"")
    if as_json:
        typer.echo(json.dumps(letter, default=_jsonable))
        return
    for line in describe(letter):
        typer.echo(line)


def describe(letter: Record) -> Iterator[str]:
    """A dead letter in lines of text; nothing of it can steer a terminal."""
    yield f"received      {_time(letter)}"
    place = f"partition {letter['partition']}, offset {letter['source_offset']}"
    yield f"from          {plain(letter['topic'])}, {place}"
    yield f"log           {plain(letter['log_id'])}"
    yield f"stage         {plain(letter['stage'])}"
    yield f"error         {plain(letter['error_class'])}: {plain(letter['message'])}"
    yield f"key           {_bytes(letter['key'])}"
    for header in letter["headers"]:
        yield f"header        {plain(header['key'])} = {_bytes(header['value'])}"
    value = letter["value"]
    if value is None:
        yield "value         null"
        return
    yield f"value         {letter['value_bytes']} bytes, SHA-256 {letter['value_sha256'].hex()}"
    yield from hexdump(value[:SHOWN_BYTES])
    if len(value) > SHOWN_BYTES:
        yield f"... {len(value) - SHOWN_BYTES} more bytes are kept: write them with --raw FILE"


def hexdump(value: bytes) -> Iterator[str]:
    """Sixteen bytes a line: their place, their digits, what is ASCII of them."""
    for at in range(0, len(value), 16):
        row = value[at : at + 16]
        digits = " ".join(f"{byte:02x}" for byte in row)
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{at:08x}  {digits:<47}  {text}"


def plain(text: str) -> str:
    """The text with every character that could steer a terminal written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


async def _newest(settings: Settings, limit: int) -> list[Record]:
    options = common_options(settings)
    topic = topic_name(DEAD_LETTERS, settings.topic_prefix)
    found: list[Record] = []
    for partition in range((await partition_counts(options, [topic]))[topic]):
        mine: list[Record] = []
        async for window in _backwards(options, TopicPartition(topic, partition)):
            mine = window + mine
            if len(mine) >= limit:
                break
        found += mine[-limit:]
    return sorted(found, key=lambda letter: letter["received_at"], reverse=True)[:limit]


async def _find(settings: Settings, partition: int, offset: int) -> Record:
    options = common_options(settings)
    topic = topic_name(DEAD_LETTERS, settings.topic_prefix)
    partitions = (await partition_counts(options, [topic]))[topic]
    if partition < partitions:
        async for window in _backwards(options, TopicPartition(topic, partition)):
            for letter in window:
                if letter["source_offset"] == offset:
                    return letter
            if window and window[0]["source_offset"] < offset:
                break
    raise PraetorError(
        f"no dead letter of partition {partition}, offset {offset} in {topic}: `praetor dead-letters list`"
        " names those that are kept"
    )


async def _backwards(options: Options, tp: TopicPartition) -> AsyncIterator[list[Record]]:
    """Yield a partition's committed letters in windows, the newest window first, each in order."""
    ends = Ends(options)
    try:
        await ends.start()
        async with asyncio.timeout(BROKER_SECONDS):
            end = await ends.stable_end(tp)
        first = await ends.beginning(tp)
    except TimeoutError as error:
        raise PraetorError(f"{tp.topic}/{tp.partition}: a transaction stays open; try again later") from error
    finally:
        await ends.stop()
    size = WINDOW
    while first < end:
        start = max(first, end - size)
        yield [
            read_letter(record.value, f"{tp.topic}/{tp.partition} offset {record.offset}")
            async for records in read_partition(options, tp, start, end)
            for record in records
        ]
        end, size = start, size * 2


def read_letter(value: bytes | None, where: str) -> Record:
    """Decode a dead letter.

    Raises:
        PraetorError: it is none; only govern writes them, so somebody else wrote to the topic.
    """
    try:
        return decode(value, "dead_letter")
    except Malformed as error:
        raise PraetorError(f"{where} is no dead letter, so another program writes there: {error}") from error


def _time(letter: Record) -> str:
    moment = datetime.fromtimestamp(letter["received_at"] / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bytes(value: bytes | None) -> str:
    if value is None:
        return "null"
    text = value.decode("utf-8", "backslashreplace")
    return plain(text[:200]) + ("..." if len(text) > 200 else "")


def _jsonable(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _write(path: Path, value: bytes) -> None:
    try:
        path.write_bytes(value)
    except OSError as error:
        raise PraetorError(f"cannot write {path}: {error.strerror}") from error
