"""`praetor dead-letters redrive`: publish dead letters again after a mend of schema or code."""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import typer
from rich.progress import Progress

from cli.dead_letters.describing import plain
from cli.dead_letters.reading import find_letter, kept_range, letter_partitions, read_letters
from cli.options import DataDir, JsonOutput
from cli.sending import progress_bar
from consumers.log_id import read_log_id
from runtime.kafka import Ends, common_options
from runtime.settings import Settings, load_settings
from schemas.codec import Record
from streams.redrive import Redriver, why_not
from streams.redriven import Redrives, read_redrives

CHUNK_LETTERS = 200
CHUNK_BYTES = 2 << 20
SHOWN = 20
UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Choice(NamedTuple):
    """Which letters are asked for; all where nothing is given."""

    place: tuple[int, int] | None
    error_class: str | None
    since_ms: int | None

    def takes(self, letter: Record) -> bool:
        """Whether a letter is asked for, by its class and time."""
        return (self.error_class is None or letter["error_class"] == self.error_class) and (
            self.since_ms is None or letter["received_at"] >= self.since_ms
        )


@dataclass
class Outcome:
    """What became of the letters that were asked for."""

    redriven: list[dict[str, Any]] = field(default_factory=list)
    already: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


def redrive(
    partition: Annotated[int | None, typer.Argument(min=0, help="The action's partition.")] = None,
    offset: Annotated[int | None, typer.Argument(min=0, help="The action's offset in agent.actions.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
    error_class: Annotated[str | None, typer.Option(help="Those of a class, as `list` prints it.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Those received since a time (2026-11-20, 2026-11-20T12:00Z) or span (90m, 2h, 7d)."
        ),
    ] = None,
    force: Annotated[bool, typer.Option(help="Also what would not decode now either.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be redriven.")] = False,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Publish dead letters to agent.actions again, each once, their bytes as they were.

    What would not decode now either, or was kept only in part, is named with the reason. It may be stopped,
    killed and repeated at any time: what was redriven is not redriven twice. Headers (praetor.redrive.…) say
    where a record came from.

    Example: praetor dead-letters redrive --since 2h --dry-run
    """
    if (partition is None) != (offset is None):
        raise typer.BadParameter("PARTITION and OFFSET name one letter together")
    place = None if partition is None or offset is None else (partition, offset)
    chosen = (place is not None, every, error_class is not None or since is not None)
    if sum(chosen) != 1:
        raise typer.BadParameter("say which: PARTITION OFFSET, or --all, or --error-class and --since")
    choice = Choice(place, error_class, None if since is None else moment(since, time.time()))
    settings = load_settings(data)
    with progress_bar() as progress:
        outcome = asyncio.run(_redrive(settings, choice, force, dry_run, progress))
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, **vars(outcome)}))
        return
    _tell(outcome, dry_run)


def moment(text: str, now: float) -> int:
    """A time in milliseconds: an ISO date or time (UTC unless it says otherwise), or a span before `now`.

    Raises:
        typer.BadParameter: it is none of these.
    """
    if span := re.fullmatch(r"(\d+)([smhd])", text):
        return int(now * 1000) - int(span[1]) * UNITS_MS[span[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"--since {text!r} is no time such as 2026-11-20T12:00Z and no span such as 2h"
        ) from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


async def _redrive(
    settings: Settings, choice: Choice, force: bool, dry_run: bool, progress: Progress
) -> Outcome:
    options = common_options(settings)
    log_id = await _log_id(settings)
    outcome = Outcome()
    async with AsyncExitStack() as stack:
        redriver: Redriver | None = None
        if dry_run:
            redrives = await read_redrives(options, settings.topic_prefix)
        else:
            redriver = await stack.enter_async_context(Redriver(options, settings.topic_prefix, log_id))
            redrives = redriver.redrives
        chunk: list[Record] = []
        letters = await stack.enter_async_context(aclosing(_chosen(settings, choice, progress)))
        async for letter in letters:
            if _is_ready(letter, redrives, log_id, force, outcome):
                chunk.append(letter)
                if len(chunk) >= CHUNK_LETTERS or sum(len(x["value"] or b"") for x in chunk) >= CHUNK_BYTES:
                    await _publish(redriver, chunk, outcome)
                    chunk = []
        await _publish(redriver, chunk, outcome)
    return outcome


def _is_ready(letter: Record, redrives: Redrives, log_id: str, force: bool, outcome: Outcome) -> bool:
    place = {"partition": letter["partition"], "offset": letter["source_offset"]}
    before = redrives.of(letter["partition"], letter["source_offset"])
    if before is not None:
        outcome.already.append(place | {"as": before.target_offset, "attempt": before.attempt})
    elif why := why_not(letter, log_id, force):
        outcome.refused.append(place | {"reason": why})
    else:
        return True
    return False


async def _publish(redriver: Redriver | None, chunk: list[Record], outcome: Outcome) -> None:
    if redriver is None:
        outcome.redriven += [{"partition": x["partition"], "offset": x["source_offset"]} for x in chunk]
        return
    for one in await redriver.publish(chunk):
        outcome.redriven.append(
            {
                "partition": one.partition,
                "offset": one.source_offset,
                "as": one.target_offset,
                "attempt": one.attempt,
            }
        )


async def _chosen(settings: Settings, choice: Choice, progress: Progress) -> AsyncGenerator[Record, None]:
    """The letters asked for, the oldest of each partition first: an agent's actions keep their order."""
    if choice.place is not None:
        yield await find_letter(settings, *choice.place)
        return
    options = common_options(settings)
    bar = progress.add_task("dead letters", total=None)
    for tp in await letter_partitions(settings):
        first, end = await kept_range(options, tp)
        progress.update(bar, description=f"partition {tp.partition}", completed=0, total=max(end - first, 1))
        async with aclosing(read_letters(options, tp, first, end)) as letters:
            async for at, letter in letters:
                progress.update(bar, completed=at + 1 - first)
                if choice.takes(letter):
                    yield letter
        progress.update(bar, completed=max(end - first, 1))


async def _log_id(settings: Settings) -> str:
    options = common_options(settings)
    ends = Ends(options)
    try:
        await ends.start()
        return await read_log_id(options, ends)
    finally:
        await ends.stop()


def _tell(outcome: Outcome, dry_run: bool) -> None:
    verb = "would be redriven" if dry_run else "redriven to agent.actions"
    typer.echo(f"{len(outcome.redriven)} dead letters {verb}, {len(outcome.already)} were before")
    if not outcome.refused:
        return
    typer.echo(f"{len(outcome.refused)} cannot be redriven:")
    for one in outcome.refused[:SHOWN]:
        typer.echo(f"  partition {one['partition']}, offset {one['offset']}: {plain(one['reason'])}")
    if len(outcome.refused) > SHOWN:
        typer.echo(f"  ... and {len(outcome.refused) - SHOWN} more: --json names them all")
