"""`praetor alert check` and `routes`: whether the files are right, and who would be told of what."""

import json
import time
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.alert.files import read_alerting
from cli.destination_files import outbound_of
from cli.options import DataDir, JsonOutput
from cli.spans import moment_ms
from consumers.alert.document import KindName
from consumers.alert.load import Alerting
from consumers.alert.rules import Rules
from consumers.alert.signal import RANKS, Cause, Signal
from runtime.errors import PraetorError
from runtime.settings import load_settings
from sinks.receivers import receiver_sink

KINDS = get_args(KindName)


def check(data: DataDir = None) -> None:
    """Check the files of routes and receivers, and that the secrets are there; nothing is sent.

    Example: PRAETOR_ALERTING=alerting/ praetor alert check
    """
    settings = load_settings(data)
    found = read_alerting(settings)
    outbound = outbound_of(settings)
    wrong = []
    for name, receiver in found.receivers.items():
        try:
            receiver_sink(receiver, outbound)
        except PraetorError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise PraetorError("\n".join(wrong))
    for warning in found.warnings:
        typer.echo(f"warning: {warning}")
    typer.echo(f"{len(found.document.routes)} routes and {len(found.receivers)} receivers are well")


def routes(
    kind: Annotated[str, typer.Option(help="Ask for one event: incident or threat.")] = "",
    severity: Annotated[str, typer.Option(help="Its severity.")] = "medium",
    tenant: Annotated[str, typer.Option(help="Its tenant.")] = "",
    agent: Annotated[str, typer.Option(help="Its agent.")] = "",
    detector: Annotated[str, typer.Option(help="The rule or detector that found it.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Its tags (ASI01, AML.T0051).")] = None,
    at: Annotated[str, typer.Option(help="When: 2026-11-21T18:00Z; now by default.")] = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List the routes; with --kind, only those that take such an event, and whom each tells.

    Example: praetor alert routes --kind incident --severity critical --tenant acme --at 2026-11-21T03:00Z
    """
    found = read_alerting(load_settings(data))
    if kind and (kind not in KINDS or severity not in RANKS):
        raise PraetorError(f"--kind is one of {', '.join(KINDS)}; --severity one of {', '.join(RANKS)}")
    told = _all(found)
    if kind:
        signal = _signal(kind, severity, {"tenant": tenant, "agent": agent, "detector": detector}, tag or [])
        now = moment_ms(at, "--at") if at else round(time.time() * 1000)
        told = [
            {**_row(placement.route), "receivers": list(placement.receivers)}
            for placement in Rules(found.document).place(signal, now)
        ]
    if as_json:
        typer.echo(json.dumps(told))
        return
    if not told:
        typer.echo("no route takes it: nobody is told")
        return
    Console().print(_table(told))


def _signal(kind: str, severity: str, names: dict[str, str], tags: list[str]) -> Signal:
    given = {name: (value,) if value else () for name, value in names.items()}
    return Signal(
        kind="incident" if kind == "incident" else "threat",
        at=0,
        severity=severity,
        title="",
        causes=tuple(Cause(name, "", severity, 1) for name in given["detector"]),
        tenants=given["tenant"],
        agents=given["agent"],
        tags=tuple(tags),
    )


def _all(found: Alerting) -> list[dict[str, Any]]:
    return [_row(route) for route in found.document.routes]


def _row(route: Any) -> dict[str, Any]:
    match = route.match.model_dump(exclude_none=True)
    timing = {"wait": route.wait, "interval": route.interval, "repeat": route.repeat}
    return {
        "route": route.name,
        "match": match,
        "receivers": route.receivers,
        **({"digest": route.digest} if route.digest is not None else timing),
    }


def _table(told: list[dict[str, Any]]) -> Table:
    table = Table("route", "match", "receivers", "how")
    for row in told:
        match = "; ".join(
            f"{name} {', '.join(value) if isinstance(value, list) else value}"
            for name, value in row["match"].items()
        )
        how = f"digest every {row['digest']:g} s" if "digest" in row else f"after {row['wait']:g} s"
        words = (row["route"], match or "everything", ", ".join(row["receivers"]) or "nobody", how)
        table.add_row(*map(Text, words))
    return table
