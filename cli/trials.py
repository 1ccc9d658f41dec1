"""Trying what events are sent to: one event, marked as a trial, and what became of it."""

import asyncio
import json
from collections.abc import Callable, Mapping

import typer

from runtime.errors import PraetorError, Unavailable
from sinks.sink import Event, Refused, Sink

SECONDS = 40.0


def try_each(trials: Mapping[str, tuple[Callable[[], Sink], Event]], as_json: bool) -> None:
    """Send to each, by name, the event beside what makes its sink; tell what became of them.

    Raises:
        typer.Exit: with 1, where one did not take its event.
    """
    results = {name: asyncio.run(_try(make, event)) for name, (make, event) in trials.items()}
    if as_json:
        typer.echo(json.dumps(results))
    else:
        for name, said in results.items():
            typer.echo(f"{name}: {said or 'took it'}")
    if any(results.values()):
        raise typer.Exit(1)


async def _try(make: Callable[[], Sink], event: Event) -> str:
    """What is wrong, in words; "" where the event was taken."""
    try:
        sink = make()
        async with asyncio.timeout(SECONDS):
            try:
                await sink.open()
                outcome = await sink.write([event])
            finally:
                await sink.close()
    except (PraetorError, Unavailable, Refused) as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    return "; ".join([r.reason for r in outcome.rejected] + ([outcome.reason] if outcome.again else []))
