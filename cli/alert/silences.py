"""`praetor alert silence` and `silences`: whom nobody is to be told of, until when; planned windows."""

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.options import DataDir, JsonOutput
from cli.spans import moment_ms, span_ms
from cli.stored import By, opened, whoever
from runtime.errors import PraetorError
from runtime.settings import load_settings
from sinks.formats.notice import moment
from store.models import Silence, Window
from store.scope import checked
from store.silences import add_silence, add_window, expire, silences, windows

silences_app = typer.Typer(no_args_is_help=True, help="Silences and maintenance windows.")

Many = list[str] | None
Tenant = Annotated[Many, typer.Option(help="Tenants, as patterns: acme, team-*.")]
Agent = Annotated[Many, typer.Option(help="Agents, as patterns.")]
Detector = Annotated[Many, typer.Option(help="Rules and detectors, as patterns.")]
Severity = Annotated[Many, typer.Option(help="Exactly these severities.")]
Tag = Annotated[Many, typer.Option(help="Tags, as patterns: ASI01, AML.*.")]
Kind = Annotated[Many, typer.Option(help="incident, threat.")]
Subject = Annotated[Many, typer.Option(help="An incident, or an alert group, by its id.")]
Comment = Annotated[str, typer.Option("--comment", help="Why.")]
Start = Annotated[str, typer.Option("--from", help="When it begins: 2026-11-21T18:00Z; now by default.")]


def silence(
    tenant: Tenant = None,
    agent: Agent = None,
    detector: Detector = None,
    severity: Severity = None,
    tag: Tag = None,
    kind: Kind = None,
    subject: Subject = None,
    lasts: Annotated[str, typer.Option("--for", help="How long: 90s, 15m, 2h or 7d.")] = "",
    start: Start = "",
    comment: Comment = "",
    by: By = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Tell nobody of what is named, for a while; it is recorded all the same. All that is named must fit.

    Example: praetor alert silence --tenant acme --agent "load-test-*" --for 2h --comment "load test"
    """
    if not lasts:
        raise PraetorError("a silence ends: say when, with --for")
    scope = checked(_scope(tenant, agent, detector, severity, tag, kind, subject))
    now = round(time.time() * 1000)
    starts = moment_ms(start, "--from") if start else now
    who = whoever(by)
    made = Silence(
        scope=scope,
        starts=starts,
        ends=starts + span_ms(lasts, "--for"),
        comment=comment,
        made_by=who,
        made_at=now,
    )
    with opened(load_settings(data)) as store, store.changing(who) as session:
        add_silence(session, made)
    _told(as_json, made.id, f"silence {made.id} until {moment(made.ends)}")


@silences_app.command()
def plan(
    name: Annotated[str, typer.Argument(help="What the window is for.")],
    tenant: Tenant = None,
    agent: Agent = None,
    detector: Detector = None,
    severity: Severity = None,
    tag: Tag = None,
    kind: Kind = None,
    lasts: Annotated[str, typer.Option("--for", help="How long each: 90s, 15m, 2h or 7d.")] = "1h",
    start: Start = "",
    every: Annotated[str, typer.Option(help="It comes again: 1d, 7d. Once, by default.")] = "",
    until: Annotated[str, typer.Option(help="Not after: 2027-01-01T00:00Z.")] = "",
    by: By = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Plan a maintenance window: a silence to come, once or again and again; no summer time is kept.

    Example: praetor alert silences plan "nightly tests" --tenant acme --for 1h --every 1d
    """
    now, who = round(time.time() * 1000), whoever(by)
    starts = moment_ms(start, "--from") if start else now
    made = Window(
        name=name,
        scope=checked(_scope(tenant, agent, detector, severity, tag, kind, None)),
        starts=starts,
        ends=starts + span_ms(lasts, "--for"),
        every=span_ms(every, "--every") if every else 0,
        until=moment_ms(until, "--until") if until else None,
        made_by=who,
        made_at=now,
    )
    with opened(load_settings(data)) as store, store.changing(who) as session:
        add_window(session, made)
    _told(as_json, made.id, f"window {made.id} from {moment(made.starts)} to {moment(made.ends)}")


@silences_app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List silences and maintenance windows that are on or to come.

    Example: praetor alert silences list
    """
    now = None if everything else round(time.time() * 1000)
    with opened(load_settings(data)) as store, store.reading() as session:
        rows = [_row("silence", each) for each in silences(session, now)]
        rows += [_row("window", each) for each in windows(session, now)]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        typer.echo("nothing is silent")
        return
    table = Table("id", "what", "scope", "from", "to", "by", "why")
    for row in rows:
        again = f" every {row['every'] // 1000} s" if row["every"] else ""
        words = (row["id"], row["what"] + again, json.dumps(row["scope"]))
        table.add_row(*map(Text, (*words, moment(row["starts"]), moment(row["ends"]), row["by"], row["why"])))
    Console().print(table)


@silences_app.command("expire")
def expire_(
    name: Annotated[str, typer.Argument(help="Its id, as `list` prints it.")],
    by: By = "",
    data: DataDir = None,
) -> None:
    """End a silence or a maintenance window now.

    Example: praetor alert silences expire 1f3a9c02
    """
    with opened(load_settings(data)) as store, store.changing(whoever(by)) as session:
        expire(session, name, round(time.time() * 1000))
    typer.echo(f"{name} has ended")


def _scope(*each: Many) -> dict[str, list[str]]:
    names = ("tenant", "agent", "detector", "severity", "tag", "kind", "subject")
    return {name: list(values or ()) for name, values in zip(names, each, strict=True)}


def _row(what: str, row: Silence | Window) -> dict[str, Any]:
    window = row if isinstance(row, Window) else None
    return {
        "id": row.id,
        "what": what,
        "scope": row.scope,
        "starts": row.starts,
        "ends": row.ends if window is None or window.until is None else min(row.ends, window.until),
        "every": window.every if window else 0,
        "until": window.until if window else None,
        "by": row.made_by,
        "why": window.name if window else getattr(row, "comment", ""),
    }


def _told(as_json: bool, name: str, words: str) -> None:
    typer.echo(json.dumps({"id": name}) if as_json else words)
