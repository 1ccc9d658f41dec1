"""`praetor detect hunt`: a rule over the past, as SQL in ClickHouse."""

import json
from pathlib import Path
from time import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.backtest.times import milliseconds, moment, told
from cli.detection_files import load_files
from cli.options import DataDir, JsonOutput
from detections.sigma.sql.hunt import Hunted, Scope, check_hunted, hunt_sql, unread_sql
from detections.sigma.sql.macros import SETTINGS
from runtime.errors import PraetorError
from runtime.settings import load_settings
from sinks.connection import connect, errors_of

PATIENCE = 600
SHOWN = ("received_at", "tenant", "agent_id", "phase", "action", "resource", "effect", "fires", "event")


def hunt(
    rule: Annotated[str, typer.Argument(help="The name of a rule or correlation.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of detections, or directories. Without any: those that are shipped."),
    ] = None,
    since: Annotated[str, typer.Option(help="From when on: 7d, 12h (ago), or 2026-11-20T08:30:00Z.")] = "1d",
    until: Annotated[str, typer.Option(help="Until when, exclusive; now by default.")] = "",
    tenant: Annotated[str | None, typer.Option(help="Of this tenant only.")] = None,
    skew: Annotated[
        str, typer.Option(help="How far occurred_at is believed, for rules on that clock.")
    ] = "5m",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many actions.")] = 1_000,
    show_sql: Annotated[bool, typer.Option("--sql", help="Print the statement, and ask nothing.")] = False,
    as_json: JsonOutput = False,
    data: DataDir = None,
) -> None:
    """Find the stored actions at which a rule would have matched, or a correlation have held.

    The very rule that judges live is translated to SQL, so what is found is what would have been found then.
    What cannot be told any more (texts erased, arguments that cannot be read) is counted, and said.

    Example: praetor detect hunt credential-hunting --since 7d
    """
    of = _hunted(rule, paths)
    now = round(time() * 1000)
    end = moment(until) if until else now
    begin = _begin(since, now)
    if begin >= end:
        raise PraetorError(f"the time ends before it begins: {told(begin)} to {told(end)}")
    scope = Scope(begin, end, tenant, milliseconds(skew))
    sql = hunt_sql(rule, of, scope, limit)
    if show_sql:
        print(sql)
        return
    settings = load_settings(data)
    with errors_of(settings):
        client = connect(settings, patience=PATIENCE)
        try:
            answer = client.query(sql, settings=SETTINGS)
            unread = client.query(unread_sql(rule, of, scope), settings=SETTINGS).result_rows[0][0]
        finally:
            client.close()
    found = [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]
    if as_json:
        for row in found:
            print(json.dumps({**row, "rule": rule, "fires": bool(row["fires"])}, default=_plain))
    else:
        _draw(found, scope)
    _notes(len(found), limit, unread)


def _hunted(rule: str, paths: list[Path] | None) -> Hunted:
    loaded = load_files(paths)
    of = Hunted({r.name: r for r in loaded.rules}, {c.name: c for c in loaded.correlations})
    if rule not in of.rules and rule not in of.correlations:
        known = ", ".join(sorted((*of.rules, *of.correlations))[:20])
        raise PraetorError(f"no rule is called {rule!r}; some that are: {known}")
    try:
        check_hunted(of)
    except ValueError as error:
        raise PraetorError(str(error)) from error
    return of


def _begin(since: str, now: int) -> int:
    """A time, or a length of time ago."""
    return moment(since) if "-" in since else now - milliseconds(since)


def _draw(found: list[dict[str, Any]], scope: Scope) -> None:
    table = Table()
    for name in SHOWN:
        table.add_column(Text(name))
    for row in found:
        table.add_row(*(Text(str(_plain(row[name]))) for name in SHOWN))
    console = Console(soft_wrap=True)
    console.print(table)
    what = "action" if len(found) == 1 else "actions"
    console.print(
        f"{len(found)} {what} from {told(scope.since)} to before {told(scope.until)}", highlight=False
    )


def _notes(found: int, limit: int, unread: int) -> None:
    if found == limit:
        typer.echo(f"only the first {limit} are shown: raise --limit, or narrow the time", err=True)
    if unread:
        typer.echo(
            f"of {unread} more it cannot be told: texts erased, or arguments that cannot be read", err=True
        )


def _plain(value: Any) -> Any:
    """A value of ClickHouse as JSON and tables have it."""
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return value if isinstance(value, str | int | float) or value is None else str(value)
