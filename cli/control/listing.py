"""`praetor control list`: what stands, or every record of agent.control."""

import asyncio
import json
import time
from typing import Annotated, Any

import typer

from cli.control.reading import control_records, empty_view, read_orders
from cli.control.telling import draw, known, moment, whom
from cli.options import DataDir, JsonOutput
from runtime.errors import Malformed
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from schemas.codec import decode
from streams.standing_orders import Given


def list_orders(
    every: Annotated[
        bool, typer.Option("--all", help="Every record of agent.control, and whether it is believed.")
    ] = False,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """List the kills, quarantines and grants that stand.

    An order that is over by this machine's clock is marked so: a partition that lags may still judge by it.

    Example: praetor control list --all --json
    """
    settings = load_settings(data)
    if every:
        _list_records(asyncio.run(_records(settings)), as_json)
        return
    view = asyncio.run(read_orders(settings))
    now = int(time.time() * 1000)
    if as_json:
        rows = [{**known(g), "over": not g.order.stands(now)} for g in view.orders.given()]
        typer.echo(json.dumps(rows))
        return
    if view.orders.given():
        _draw(view.orders.given(), now)
    else:
        typer.echo("no kill, quarantine or grant stands")
    if view.rejected:
        typer.echo(f"{view.rejected} records of agent.control are not believed: praetor control list --all")


def _draw(orders: list[Given], now: int) -> None:
    headings = ("offset", "kind", "of", "until", "author", "reason", "order")
    draw(headings, (_words(given, now) for given in orders), wrapped="reason")


def _words(given: Given, now: int) -> tuple[str, ...]:
    order = given.order
    over = "" if order.stands(now) else " (over)"
    ends = "released" if order.expires_at is None else moment(order.expires_at) + over
    return str(order.offset), order.kind, _what(given), ends, given.author, given.reason, order.id


def _what(given: Given) -> str:
    order = given.order
    limits = [*given.actions, *(f"on {resource}" for resource in given.resources)]
    through = ["through quarantine"] if order.through_quarantine else []
    return ", ".join([whom(order.target), *limits, *through])


async def _records(settings: Settings) -> list[dict[str, Any]]:
    view, rows = empty_view(settings), []
    async for record in control_records(common_options(settings)):
        why_not = await view.fold(record.offset, record.value)
        rows.append({"offset": record.offset, **_told(record.value), "why_not": why_not})
    late = await view.settle()
    return [{**row, "why_not": row["why_not"] or late.get(row["offset"], "")} for row in rows]


def _told(value: bytes | None) -> dict[str, Any]:
    """What a record says of itself, believed or not."""
    try:
        record = decode(value, "control_record")
    except Malformed:
        record = {"kind": "", "author": ""}
    return {"kind": record["kind"][:32], "author": record["author"][:64], "bytes": len(value or b"")}


def _list_records(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    words = (
        (str(row["offset"]), row["kind"], row["author"], str(row["bytes"]), row["why_not"] or "yes")
        for row in rows
    )
    draw(("offset", "kind", "author", "bytes", "believed"), words, wrapped="believed")
