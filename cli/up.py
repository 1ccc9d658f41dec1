"""`praetor up`, `down`, `status`, `logs`: the embedded stack as a person handles it."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.logs import logs
from cli.options import DataDir
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
) -> None:
    """Start Kafka, ClickHouse and Praetor on this machine."""
    settings = load_settings(data)
    folder = settings.data.resolve()
    plan = make_plan(settings, kafka_port, clickhouse_port, bootstrap, clickhouse)
    plan = plan.model_copy(update={"commands": default_commands(workers)})
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
    """Stop the stack and wait for its end."""
    folder = load_settings(data).data
    typer.echo("stopped" if bring_down(folder) else f"no stack runs in {folder}")


def status(
    data: DataDir = None, as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False
) -> None:
    """Show the stack's processes; exit with 1 unless it runs and is ready."""
    folder = load_settings(data).data
    stack = read_stack(folder)
    running = stack is not None and stack.running()
    if as_json:
        told = stack.model_dump(mode="json", exclude={"clickhouse_password"}) if stack else {}
        if running and stack is not None:
            told["health"] = {
                s.name: ask(s.health_port, "/readyz")[1] for s in stack.services if s.health_port
            }
        typer.echo(json.dumps({"running": running, **told}, indent=2))
    elif stack is None or not running:
        typer.echo(f"no stack runs in {folder}" + (f": {stack.error}" if stack and stack.error else ""))
    else:
        Console().print(_table(stack))
    if stack is None or not (running and stack.ready):
        raise typer.Exit(1)


def _table(stack: Stack) -> Table:
    table = Table(title=f"Kafka {stack.bootstrap} · ClickHouse {stack.clickhouse_url}", title_justify="left")
    for column in ("name", "state", "pid", "restarts", "health", "detail"):
        table.add_column(column)
    for service in stack.services:
        pid = str(service.process.pid) if service.process else ""
        health = shown(ask(service.health_port, "/readyz")[1]) if service.health_port else ""
        table.add_row(service.name, service.state, pid, str(service.restarts), health, service.detail)
    return table
