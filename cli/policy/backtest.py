"""`praetor policy backtest`: what a bundle would have decided."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cli.backtest.asked import Asked, Store, make_ready
from cli.backtest.files import FileFormat
from cli.backtest.gates import check_limits, gates_of
from cli.backtest.report import Run, report_of
from cli.backtest.running import Workers
from cli.backtest.sides import ACTIVE
from cli.backtest.tables import sections
from cli.backtest.writing import as_html, as_markdown, show, write
from cli.options import DataDir, JsonOutput
from cli.telling import print_json
from runtime.settings import Settings, load_settings

EXCEEDED = 3
INTERRUPTED = 130
WIDTH = 140

Limit = Annotated[str | None, typer.Option(metavar="N|P%", help="Fail (exit code 3) above so many actions.")]


def backtest(
    candidate: Annotated[
        str, typer.Argument(help="Policy file or folder, bundle.json, or digest on agent.control.")
    ],
    file: Annotated[
        str | None, typer.Argument(help="Actions, as `praetor replay` takes them; default: stored ones.")
    ] = None,
    against: Annotated[
        str, typer.Option(metavar="BUNDLE", help="What to compare with, named like the candidate.")
    ] = ACTIVE,
    since: Annotated[str, typer.Option(metavar="7d", help="Stored actions of the last so long.")] = "",
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Stored actions from then on (ISO 8601, UTC).")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Up to then; default: now.")] = "",
    warm_up: Annotated[
        str,
        typer.Option(
            metavar="1d", help="Begin so long before, for agents that have left no snapshot at the time."
        ),
    ] = "",
    source: Annotated[Store, typer.Option(help="Where stored actions are read.")] = Store.clickhouse,
    format: Annotated[  # noqa: A002 - the option's name
        FileFormat, typer.Option(help="What FILE holds; spool: what an SDK could not send.")
    ] = FileFormat.actions,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also judge by each decision's own bundle, and compare.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a processor.")] = 0,
    max_newly_denied: Limit = None,
    max_newly_allowed: Limit = None,
    max_changed: Limit = None,
    max_errors: Limit = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the report for a merge request's comments.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as one page.")] = None,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Judge past actions by a candidate and by what is in force, and show what would change.

    What is remembered of agents begins as it was (agent.snapshots); each side then goes on by its own
    decisions. Kills, quarantines and grants stand over both as they stood. Exit code 3: above a threshold.
    Docs: docs/policies/backtest.md.

    Example: praetor policy backtest my-policies/ --since 7d --max-newly-denied 0.1%
    """
    limits = {
        "newly-denied": max_newly_denied,
        "newly-allowed": max_newly_allowed,
        "changed": max_changed,
        "errors": max_errors,
    }
    check_limits(limits)
    asked = Asked(candidate, against, file or "", format, source, since, start, end, warm_up, verify)
    report = _try(asked, load_settings(data), workers or len(os.sched_getaffinity(0)), limits)
    if markdown is not None:
        write(markdown, as_markdown(sections(report)))
    if html is not None:
        write(html, as_html(sections(report)))
    if as_json:
        print_json(report)
    else:
        show(sections(report), Console(width=None if os.isatty(1) else WIDTH))
    exceeded = [gate for gate in report["thresholds"] if gate["exceeded"]]
    for gate in exceeded:
        typer.echo(f"exceeded: --max-{gate['name']} {gate['limit']}: {gate['found']} actions", err=True)
    if exceeded:
        raise typer.Exit(EXCEEDED)


def _try(asked: Asked, settings: Settings, count: int, limits: Mapping[str, str | None]) -> dict[str, Any]:
    try:
        with (
            tempfile.TemporaryDirectory(prefix="praetor-backtest-") as folder,
            Workers(count) as workers,
            _progress() as progress,
        ):
            ready = make_ready(asked, settings, Path(folder), progress)
            bar = progress.add_task("judging", total=sum(chunk.actions for chunk in ready.chunks))
            started = time.monotonic()
            tally = workers.run(ready.job, ready.chunks, lambda count: progress.advance(bar, count))
            seconds = time.monotonic() - started
            progress.update(bar, total=progress.tasks[bar].completed)
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was changed, and there is no report", err=True)
        raise typer.Exit(INTERRUPTED) from None
    remarks = list(ready.remarks)
    if tally.unremembered:
        remarks.append(
            f"{tally.unremembered:,} agents began without a snapshot and may not have been new: --warm-up"
            " begins earlier"
        )
    return report_of(
        Run(ready.old, ready.new, ready.source, count, seconds, remarks), tally, gates_of(tally, limits)
    )


class _Rate(ProgressColumn):
    """Actions a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        yield progress
