"""Gives an order: checked against what stands, signed, published, waited for."""

import asyncio
import json
import time
from typing import Any

import typer

from cli.control.impact import tell_impact
from cli.control.options import How
from cli.control.reading import read_orders
from cli.control.telling import known, span, until, whom
from cli.control.waiting import Waited, wait_applied
from judgement.standing_order import Target
from runtime.errors import Malformed, PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings
from streams.control_view import ControlView
from streams.keyring import CONTROL, read_signing_key
from streams.orders import Order
from streams.standing_orders import payload, read_standing, target_payload
from streams.topics import publish_order


def give(settings: Settings, kind: str, target: Target, said: dict[str, Any], how: How) -> None:
    """Give a kill, a quarantine or a grant, and say what came of it.

    Raises:
        PraetorError: it makes no sense, or may not be given; or not every live worker has applied it in time,
            and then it stands all the same.
    """
    view, order = asyncio.run(prepare(settings, kind, {**said, "target": target_payload(target)}))
    if how.dry_run:
        tell_impact(settings, view, read_standing(order, view.read_to + 1), how.as_json)
        return
    offset, waited = asyncio.run(publish(settings, order, how))
    given = read_standing(order, offset)
    if how.as_json:
        typer.echo(json.dumps({**known(given), **waited.told()}))
    else:
        typer.echo(f"{kind} of {whom(target)} {until(given.order.expires_at)}: control offset {offset}")
        typer.echo(f"release it with: praetor control release {given.order.id}")
    conclude(waited, how)


async def prepare(settings: Settings, kind: str, said: dict[str, Any]) -> tuple[ControlView, Order]:
    """Read what stands, and make an order that makes sense after it.

    Raises:
        PraetorError: it would be refused by every worker, or no order can be signed here.
    """
    key = read_signing_key(settings.keys, CONTROL)
    view = await read_orders(settings)
    order = Order(view.log_id, kind, key.name, int(time.time() * 1000), payload(**said))
    try:
        view.orders.apply(order, view.read_to + 1)
    except Malformed as error:
        raise PraetorError(f"{error}. Nothing was published") from error
    return view, order


async def publish(settings: Settings, order: Order, how: How) -> tuple[int, Waited]:
    """Publish an order, and wait for it if that is wanted; its offset, and who has applied it."""
    options = common_options(settings)
    offset = await publish_order(options, order, read_signing_key(settings.keys, CONTROL))
    if not how.wait:
        return offset, Waited(unknown="not waited for")
    return offset, await wait_applied(options, settings.topic_prefix, order.log_id, offset, how.timeout)


def conclude(waited: Waited, how: How) -> None:
    """Say who has applied an order.

    Raises:
        PraetorError: a live worker has not, within the time.
    """
    if not how.as_json and how.wait:
        for worker, after in sorted(waited.applied.items(), key=lambda one: one[1]):
            typer.echo(f"{worker}: applied after {span(after)}")
        for worker in waited.silent:
            typer.echo(f"{worker}: silent; if it lives, it judges nothing before it has read the order")
        if waited.unknown:
            typer.echo(f"the order stands; who has applied it is not known: {waited.unknown}")
        elif not waited.applied and not waited.late:
            typer.echo("no worker is live; each reads the order before it judges")
    if waited.late:
        raise PraetorError(
            f"not applied within {how.timeout:g} s by {', '.join(waited.late)}. The order stands; a worker"
            " whose view of agent.control is older than 5 s judges nothing. See `praetor control status`"
        )
