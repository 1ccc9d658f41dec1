"""`praetor up`, `down`, `status`, `logs`: the embedded stack as a person handles it."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.logs import logs
from cli.options import DataDir, JsonOutput
from cli.stack import bring_down, bring_up, default_commands, make_plan, prepare, supervisor_command
from runtime.embedded.probe import ask, shown
from runtime.settings import load_settings
from runtime.stack import Stack, read_stack

__all__ = ["down", "logs", "status", "up"]


def up(
    data: DataDir = None,
    detach: Annotated[bool, typer.Option("-d", "--detach", help="Return when the stack is ready.")] = False,
    kafka_port: Annotated[int | None, typer.Option(help="Port of the broker.", min=1, max=65535)] = None,
    clickhouse_port: Annotated[
        int | None, typer.Option(help="Port of ClickHouse's HTTP interface.", min=1, max=65535)
    ] = None,
    bootstrap: Annotated[str | None, typer.Option(help="Use this Kafka instead of an own one.")] = None,
    clickhouse: Annotated[
        str | None, typer.Option(help="Use this ClickHouse (URL) instead of an own one.")
    ] = None,
    workers: Annotated[int, typer.Option(help="How many `govern` processes.", min=1)] = 1,
    archives: Annotated[
        int, typer.Option(help="How many `archive` processes; 0 to restore a backup.", min=0)
    ] = 1,
) -> None:
    """Start Kafka, ClickHouse and Praetor on this machine; `forward` and `alert` too, where configured.

    Example: praetor up --detach --workers 2
    """
    settings = load_settings(data)
    folder = settings.data.resolve()
    plan = make_plan(settings, kafka_port, clickhouse_port, bootstrap, clickhouse)
    forwards, alerts = int(plan.destinations is not None), int(plan.alerting is not None)
    plan = plan.model_copy(update={"commands": default_commands(workers, archives, forwards, alerts, 1)})
    if not detach:
        prepare(folder, plan)
        os.execv(sys.executable, supervisor_command(folder))  # noqa: S606
    console = Console()
    stack = bring_up(folder, plan, console)
    console.print(f"Praetor runs. Kafka {stack.bootstrap} · ClickHouse {stack.clickhouse_url}")
    console.print(
        f"State: praetor status{_option(data)} · stop: praetor down{_option(data)}", highlight=False
    )


def _option(data: Path | None) -> str:
    return f" --data {data}" if data else ""


def down(data: DataDir = None) -> None:
    """Stop the stack and wait for its end.

    Example: praetor down --data .praetor
    """
    folder = load_settings(data).data
    typer.echo("stopped" if bring_down(folder) else f"no stack runs in {folder}")


def status(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Show the stack's processes; exit with 1 unless it runs and every worker is ready.

    `port` is where a worker serves /livez, /readyz and /metrics.

    Example: praetor status --json
    """
    folder = load_settings(data).data
    stack = read_stack(folder)
    if stack is None or not stack.running():
        _tell_none(folder, stack, as_json)
        raise typer.Exit(1)
    answers = {s.name: ask(s.health_port, "/readyz") for s in stack.services if s.health_port}
    health = {name: body for name, (_, body) in answers.items()}
    if as_json:
        told = stack.model_dump(mode="json", exclude={"clickhouse_password"})
        typer.echo(json.dumps({"running": True, **told, "health": health}, indent=2))
    else:
        Console().print(_table(stack, health))
    if not stack.ready or any(code != 200 for code, _ in answers.values()):
        raise typer.Exit(1)


def _tell_none(folder: Path, stack: Stack | None, as_json: bool) -> None:
    if as_json:
        told = stack.model_dump(mode="json", exclude={"clickhouse_password"}) if stack else {}
        typer.echo(json.dumps({"running": False, **told}, indent=2))
    else:
        typer.echo(f"no stack runs in {folder}" + (f": {stack.error}" if stack and stack.error else ""))


def _table(stack: Stack, health: dict[str, dict[str, Any]]) -> Table:
    table = Table(title=f"Kafka {stack.bootstrap} · ClickHouse {stack.clickhouse_url}", title_justify="left")
    for column in ("name", "state", "pid", "port", "restarts", "health", "detail"):
        table.add_column(column)
    for service in stack.services:
        pid = str(service.process.pid) if service.process else ""
        said = shown(health[service.name]) if service.name in health else ""
        port = str(service.health_port or "")
        table.add_row(service.name, service.state, pid, port, str(service.restarts), said, service.detail)
    return table
