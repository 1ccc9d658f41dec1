"""`praetor control release`: take back a kill, a quarantine or a grant."""

import asyncio
import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.control.giving import conclude, prepare, publish
from cli.control.options import (
    Agent,
    Fleet,
    How,
    Reason,
    Session,
    Tenant,
    Timeout,
    Tool,
    ToolServer,
    Wait,
    read_target,
)
from cli.control.reading import read_orders
from cli.control.telling import known, whom
from cli.control.waiting import Waited
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings
from streams.standing_orders import Given, target_payload


class Kind(StrEnum):
    """What can be released."""

    kill = "kill"
    quarantine = "quarantine"
    grant = "grant"


def release(
    reason: Reason,
    order: Annotated[
        str, typer.Argument(help="The order's id, or how it begins; see `praetor control list`.")
    ] = "",
    kind: Annotated[
        Kind | None, typer.Option(help="Instead of an id: every such order at the target that is named.")
    ] = None,
    fleet: Fleet = False,
    tenant: Tenant = "",
    agent: Agent = "",
    session: Session = "",
    tool: Tool = "",
    tool_server: ToolServer = "",
    wait: Wait = True,
    timeout: Timeout = 30,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
    as_json: JsonOutput = False,
) -> None:
    """Take back an order, or all of a kind at one target. Other targets' orders stand on.

    Example: praetor control release 5d41402abc4b2a76 --reason "found to be harmless"

    Example: praetor control release --kind kill --tenant acme --agent coder-1 --reason "repaired"
    """
    if bool(order) == (kind is not None):
        raise PraetorError("release what? Name an order's id, or --kind with a target")
    said: dict[str, Any] = {"reason": reason.strip()}
    if kind is not None:
        target = read_target(fleet, tenant, agent, session, tool, tool_server)
        said |= {"kind": kind.value, "target": target_payload(target)}
    elif fleet or tenant or agent or session or tool or tool_server:
        raise PraetorError("an id says all: leave out the target")
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    how = How(False, wait, timeout, as_json)
    released, offset, waited = asyncio.run(_release(settings, order, said, how))
    if as_json:
        told = {"released": [known(g) for g in released], "control_offset": offset}
        typer.echo(json.dumps({**told, **waited.told()}))
    else:
        for given in released:
            one = given.order
            typer.echo(f"released: {one.kind} {one.id} of {whom(one.target)}; control offset {offset}")
    conclude(waited, how)


async def _release(
    settings: Settings, order: str, said: dict[str, Any], how: How
) -> tuple[list[Given], int, Waited]:
    before = (await read_orders(settings)).orders.given()
    if order:
        said["order"] = _find(order, before)
    view, signed = await prepare(settings, "release", said)
    left = {given.order.id for given in view.orders.given()}
    offset, waited = await publish(settings, signed, how)
    return [given for given in before if given.order.id not in left], offset, waited


def _find(begins: str, given: list[Given]) -> str:
    found = [g.order.id for g in given if g.order.id.startswith(begins.lower())]
    if not found:
        raise PraetorError(f"no order {begins!r} stands; `praetor control list` names those that do")
    if len(found) > 1:
        raise PraetorError(f"{begins!r} is how {len(found)} orders begin: write more of it")
    return found[0]
