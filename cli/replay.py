"""`praetor replay`: publish recorded actions."""

import asyncio
import time
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.progress import Progress

from cli.options import DataDir, JsonOutput
from cli.recordings import ActionReader, open_recording
from cli.sending import print_summary, progress_bar, send, summarise
from cli.spool import Spool
from cli.traces import TraceReader
from cli.waiting import wait_for_decisions
from runtime.errors import Malformed, PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings, need_bootstrap
from schemas.limits import oversize
from schemas.model import encode_action
from sinks.migrate import need_migrated

SHOWN_MISTAKES = 20


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
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Publish recorded actions to agent.actions.

    The whole file is read and checked first: a file with a bad line publishes nothing, and every bad line is
    named. Events of a trace have the same ids at each replay.

    Example: praetor replay actions.jsonl.gz --format trace --wait
    """
    settings = load_settings(data=data)
    need_bootstrap(settings)
    if wait:
        need_migrated(settings)  # before publishing, not after it
    with Spool() as spool, progress_bar() as progress:
        check_file(file, format, spool, progress)
        summary = asyncio.run(_publish_and_wait(settings, spool, rate, timeout if wait else None, progress))
    print_summary(summary, as_json)


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
    if why := oversize(key, value, ()):
        raise Malformed(f"{why} (see content_ref)")
    return key, value


async def _publish_and_wait(
    settings: Settings, spool: Spool, rate: float, timeout: float | None, progress: Progress
) -> dict[str, Any]:
    bar = progress.add_task("publishing", total=spool.count)
    published, seconds = await send(
        common_options(settings), spool.records(), rate, lambda count: progress.advance(bar, count)
    )
    summary = summarise(published, seconds)
    if published.count < spool.count:
        raise PraetorError(f"interrupted: {published.count} of {spool.count} actions were published")
    if timeout is not None:
        summary |= await wait_for_decisions(settings, published, timeout, progress)
    return summary
