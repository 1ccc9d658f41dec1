"""`praetor replay`: publish recorded actions."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.progress import TimeRemainingColumn as Remaining

from cli.recordings import ActionReader, TraceReader, open_recording
from cli.spool import Spool
from cli.waiting import wait_for_decisions
from runtime.errors import Malformed, PraetorError
from runtime.settings import Settings, load_settings, need_bootstrap, need_clickhouse
from schemas.model import encode_action
from streams.producing import LARGEST_VALUE, ActionProducer, Published

SHOWN_MISTAKES = 20
CHUNK = 2_000
TICK_SECONDS = 0.02


class Format(StrEnum):
    """What a line of the file is."""

    actions = "actions"
    trace = "trace"


def replay(
    file: Annotated[str, typer.Argument(help="JSON lines, plain or gzip; - is standard input.")],
    format: Annotated[  # noqa: A002 - the option's name
        Format,
        typer.Option(help="actions: a line is an ActionEvent; trace: a tool call of a recorded trace."),
    ] = Format.actions,
    rate: Annotated[float, typer.Option(min=0, help="Actions a second; 0: as fast as it goes.")] = 0,
    wait: Annotated[
        bool, typer.Option(help="Wait until every action has its decision in ClickHouse.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds that --wait waits without progress.")] = 60,
    data: Annotated[Path | None, typer.Option(help="Folder of the running stack.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Publish recorded actions to agent.actions.

    The whole file is read and checked first: a file with a bad line publishes nothing, and every bad line is
    named. Events of a trace have the same ids at each replay.
    """
    settings = load_settings(data=data)
    need_bootstrap(settings)
    if wait:
        need_clickhouse(settings)
    with Spool() as spool, _progress() as progress:
        check_file(file, format, spool, progress)
        summary = asyncio.run(_publish_and_wait(settings, spool, rate, timeout if wait else None, progress))
    print_summary(summary, json_)


def check_file(name: str, of: Format, spool: Spool, progress: Progress) -> None:
    """Read, check and encode all lines into the spool; blank lines are passed over.

    Raises:
        PraetorError: the file cannot be read, or lines are bad: their numbers and mistakes.
    """
    started = time.time_ns() // 1000
    reader = ActionReader(started) if of is Format.actions else TraceReader(started)
    mistakes: list[str] = []
    with open_recording(name) as recording:
        bar = progress.add_task("checking", total=recording.total)
        for number, line in enumerate(recording.lines, 1):
            if not line.strip():
                continue
            try:
                for record in reader.read(number, line):
                    spool.add(*_encode(record))
            except Malformed as mistake:
                mistakes.append(f"line {number}: {mistake}")
            if number % 1000 == 0:
                progress.update(bar, completed=recording.position())
        progress.update(bar, completed=recording.position(), total=recording.position())
    if mistakes:
        more = len(mistakes) - SHOWN_MISTAKES
        shown = mistakes[:SHOWN_MISTAKES] + ([f"... and {more} more"] if more > 0 else [])
        raise PraetorError("\n".join([f"{name}: {len(mistakes)} bad lines, nothing was published", *shown]))


def _encode(record: dict[str, Any]) -> tuple[bytes, bytes]:
    try:
        key, value = encode_action(record)
    except ValueError as error:
        raise Malformed(str(error)) from error
    if len(value) > LARGEST_VALUE:
        raise Malformed(f"{len(value)} bytes encoded; at most {LARGEST_VALUE} are judged (see content_ref)")
    return key, value


async def _publish_and_wait(
    settings: Settings, spool: Spool, rate: float, timeout: float | None, progress: Progress
) -> dict[str, Any]:
    bar = progress.add_task("publishing", total=spool.count)
    begun = time.monotonic()
    async with ActionProducer(settings.bootstrap) as producer:
        async for chunk in paced(spool.records(), rate):
            await producer.publish(chunk)
            progress.advance(bar, len(chunk))
        published = await producer.flush()
    summary = summarise(published, time.monotonic() - begun)
    if timeout is not None:
        summary |= await wait_for_decisions(settings, published, timeout, progress)
    return summary


async def paced(
    records: Iterator[tuple[bytes, bytes]], rate: float
) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    """Chunks of records, none before its time at `rate` records a second; 0: at once."""
    begun, given = time.monotonic(), 0
    while True:
        due = CHUNK
        if rate:
            elapsed = time.monotonic() - begun
            due = min(CHUNK, int(elapsed * rate) + 1 - given)
            if due < 1:
                await asyncio.sleep(max(min(TICK_SECONDS, 1 / rate), given / rate - elapsed))
                continue
        if not (chunk := list(islice(records, due))):
            return
        given += len(chunk)
        yield chunk


def summarise(published: Published, seconds: float) -> dict[str, Any]:
    """What the command says at its end."""
    return {
        "published": published.count,
        "partitions": len(published.ranges),
        "seconds": round(seconds, 3),
        "rate": round(published.count / seconds) if seconds else 0,
    }


def print_summary(summary: dict[str, Any], as_json: bool) -> None:
    """Print it, as one line of JSON or in words."""
    if as_json:
        typer.echo(json.dumps(summary))
        return
    text = "published {published} actions to {partitions} partitions in {seconds:.1f} s ({rate}/s)"
    if "decisions" in summary:
        text += "; all are in ClickHouse after {wait_seconds:.1f} s more: {decisions} decisions"
        text += ", {dead_letters} dead letters"
    typer.echo(text.format(**summary))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn())
    return Progress(*columns, Remaining(), console=Console(stderr=True))
