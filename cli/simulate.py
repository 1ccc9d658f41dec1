"""`praetor simulate`: a seeded fleet of agents publishes actions."""

import asyncio
from typing import Annotated, Any

import typer
from rich.progress import Progress

from cli.options import DataDir, JsonOutput
from cli.sending import print_summary, progress_bar, send, summarise
from cli.waiting import wait_for_decisions
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings, need_bootstrap
from sinks.migrate import need_migrated
from streams.simulation import Fleet, encoded

DEFAULT_COUNT = 10_000


def simulate(
    agents: Annotated[int, typer.Option(min=1, help="Agents of the fleet.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed publishes the same events.")] = 1,
    hostile: Annotated[float, typer.Option(min=0, max=1, help="Share of the agents that is hostile.")] = 0.02,
    count: Annotated[
        int | None, typer.Option(min=1, help="Events to publish; 10,000 unless --seconds is given.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so many seconds; 0: at --count.")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="Events a second; 0: as fast as it goes.")] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are decided and stored.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds that --wait waits without progress.")] = 60,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Publish the actions of a made-up fleet: coding, support, finance and data agents, and hostile ones.

    A hostile agent carries data out, loops, destroys, or sends under another agent's key. Salts come from the
    seed, so simulated texts are not protected by them.

    Example: praetor simulate --agents 500 --rate 200
    """
    settings = load_settings(data)
    need_bootstrap(settings)
    if wait:
        need_migrated(settings)  # before publishing, not after it
    total = DEFAULT_COUNT if count is None and not seconds else count
    fleet = Fleet(seed, agents, hostile)
    with progress_bar() as progress:
        summary = asyncio.run(
            _run(settings, fleet, (total, seconds, rate), timeout if wait else None, progress)
        )
    print_summary(summary, as_json)


async def _run(
    settings: Settings,
    fleet: Fleet,
    extent: tuple[int | None, float, float],
    timeout: float | None,
    progress: Progress,
) -> dict[str, Any]:
    count, seconds, rate = extent
    bar = progress.add_task("publishing", total=count)
    published, took = await send(
        common_options(settings),
        encoded(fleet, count),
        rate,
        lambda more: progress.advance(bar, more),
        seconds,
    )
    summary = summarise(published, took)
    if timeout is not None:
        summary |= await wait_for_decisions(settings, published, timeout, progress)
    return summary
