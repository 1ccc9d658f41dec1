"""`praetor incident release`: take back what was done about an incident."""

import asyncio
import json

import typer

from cli.control.giving import prepare, publish
from cli.control.options import How
from cli.control.reading import read_orders
from cli.control.telling import whom
from cli.incident.ordering import Which, Who, Why, give_order
from cli.incident.reading import find, read_incidents
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.settings import Settings, load_settings
from streams.standing_orders import Given


def release(
    incident: Which,
    reason: Why = "released by a person",
    author: Who = "",
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Take back every order that was given about an incident; it is answered no more, and stays open.

    It works while correlate is away: the orders are released on agent.control itself.

    Example: praetor incident release inc-9f8e7d6c-3-41 --reason "the tool was at fault"
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    name, released = asyncio.run(_release(settings, incident, (author, reason)))
    if as_json:
        told = {"incident": name, "released": [given.order.id for given in released]}
        typer.echo(json.dumps(told))
        return
    for given in released:
        typer.echo(f"released: {given.order.kind} {given.order.id} of {whom(given.order.target)}")
    if not released:
        typer.echo(f"{name}: no order of it stands; it is answered no more")


async def _release(settings: Settings, begins: str, said: tuple[str, str]) -> tuple[str, list[Given]]:
    incident = find(await read_incidents(settings), begins)
    if incident["status"] != "resolved":
        # first: else correlate could answer it anew in between
        await give_order(settings, incident, "release", said)
    offsets = {r["control_offset"] for r in incident["responses"]} - {None}
    standing = [g for g in (await read_orders(settings)).orders.given() if g.order.offset in offsets]
    for given in standing:
        why = f"{said[1]} (incident {incident['incident_id']})"
        _, order = await prepare(settings, "release", {"reason": why, "order": given.order.id})
        await publish(settings, order, How(False, False, 0, False))
    return incident["incident_id"], standing
