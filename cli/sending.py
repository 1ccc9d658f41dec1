"""What the commands that publish actions share: pace, progress, the summary at the end."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.kafka import Options
from streams.producing import ActionProducer, Published

CHUNK = 2_000
TICK_SECONDS = 0.02

Pair = tuple[bytes, bytes]


def progress_bar() -> Progress:
    """A progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


async def send(
    options: Options, records: Iterator[Pair], rate: float, sent: Callable[[int], None], seconds: float = 0
) -> tuple[Published, float]:
    """Publish keys and values; return what was acknowledged, and how many seconds it took.

    It stops at the end of the records, after `seconds` (0: never), or at an interrupt (Ctrl-C); what was
    handed over by then is still acknowledged. `rate` is in records a second, 0: as fast as it goes. `sent` is
    told how many more were handed over.

    Raises:
        PraetorError: Kafka refuses.
        Unavailable: no broker answers.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with ActionProducer(options) as producer:
        begun = time.monotonic()
        loop.add_signal_handler(signal.SIGINT, stop.set)
        try:
            async for chunk in paced(records, rate):
                await producer.publish(chunk)
                sent(len(chunk))
                if stop.is_set() or (seconds and time.monotonic() - begun >= seconds):
                    break
            published = await producer.flush()
        finally:
            loop.remove_signal_handler(signal.SIGINT)
        return published, time.monotonic() - begun


async def paced(records: Iterator[Pair], rate: float) -> AsyncIterator[list[Pair]]:
    """Chunks of records, none before its time at `rate` records a second; 0: at once."""
    begun, given = time.monotonic(), 0
    while True:
        due = CHUNK
        if rate:
            elapsed = time.monotonic() - begun
            due = min(CHUNK, int(elapsed * rate) + 1 - given)
            if due < 1:
                await asyncio.sleep(min(TICK_SECONDS, given / rate - elapsed))
                continue
        if not (chunk := list(islice(records, due))):
            return
        given += len(chunk)
        yield chunk


def summarise(published: Published, seconds: float) -> dict[str, Any]:
    """What a command says at its end."""
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
