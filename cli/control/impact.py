"""What `--dry-run` shows: who an order would hit, by what was judged in the last hour."""

import json
from typing import Any

import typer

from cli.control.telling import draw, known, until, whom
from judgement.standing_order import Target
from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings
from sinks.connection import connect, errors_of
from streams.control_view import ControlView
from streams.standing_orders import Given

SHOWN = 20
COLUMNS = {
    "tenant": "tenant",
    "agent": "agent_id",
    "session": "session_id",
    "tool": "tool",
    "tool_server": "tool_server",
}


def tell_impact(settings: Settings, view: ControlView, given: Given, as_json: bool) -> None:
    """Say what an order would be and whom it would hit; nothing is published.

    Where ClickHouse does not answer, who is hit is not known, and that is said.
    """
    unknown, agents = "", []
    try:
        agents = _active(settings, given.order.target)
    except (PraetorError, Unavailable) as error:
        unknown = str(error)
    standing = [known(g) for g in view.orders.given() if _same(g, given)]
    if as_json:
        more = {"agents": agents, "unknown": unknown or None, "standing": standing}
        typer.echo(json.dumps({"dry_run": True, **known(given), "control_offset": None, **more}))
        return
    order = given.order
    typer.echo(
        f"nothing published. A {order.kind} of {whom(order.target)} {until(order.expires_at)} would hit"
    )
    if unknown:
        typer.echo(f"who, is not known: {unknown}")
        return
    actions = sum(agent["actions"] for agent in agents)
    who = f"{len(agents)} agent{'s' * (len(agents) != 1)}"
    typer.echo(f"{who}, with {actions} actions that it is about in the last hour:")
    rows = ((a["tenant"], a["agent"], str(a["actions"]), str(a["allowed"])) for a in agents[:SHOWN])
    draw(("tenant", "agent", "actions", "allowed"), rows)
    if len(agents) > SHOWN:
        typer.echo(f"and {len(agents) - SHOWN} more; --json names all")
    for other in standing:
        typer.echo(f"there already: {other['kind']} {other['order']}: {other['reason']}")


def _same(one: Given, given: Given) -> bool:
    return one.order.target == given.order.target and one.order.id != given.order.id


def _active(settings: Settings, target: Target) -> list[dict[str, Any]]:
    """The agents that did what an order is about within the last hour, the busiest first."""
    named = {COLUMNS[name]: value for name, value in target._asdict().items() if value is not None}
    where = "".join(f" AND {column} = {{{column}:String}}" for column in named)
    with errors_of(settings):
        client = connect(settings)
        try:
            found = client.query(
                "SELECT tenant, agent_id, count(), countIf(effect IN ('allow', 'modify')) FROM decisions"  # noqa: S608
                f" WHERE received_at > now() - INTERVAL 1 HOUR{where}"
                " GROUP BY tenant, agent_id ORDER BY count() DESC, tenant, agent_id",
                parameters=named,
            )
        finally:
            client.close()
    names = ("tenant", "agent", "actions", "allowed")
    return [dict(zip(names, row, strict=True)) for row in found.result_rows]
