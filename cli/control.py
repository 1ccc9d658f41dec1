"""`praetor control`: what stands on agent.control, and orders that a person gives."""

import asyncio
import json
import time
from typing import Annotated, Any

import typer
from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table

from cli.options import DataDir, JsonOutput
from ledger.keys import VerifyKey
from runtime.errors import Malformed, PraetorError
from runtime.kafka import Ends, common_options, read_partition
from runtime.settings import Settings, load_settings
from schemas.codec import decode
from schemas.topics import ACTIONS, CONTROL
from streams.control import read_view
from streams.control_view import ControlView
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import read_signing_key, read_verify_keys
from streams.orders import Order
from streams.topics import publish_order

control_app = typer.Typer(no_args_is_help=True, help="Orders to the workers.")

PARTITION = TopicPartition(CONTROL.name, 0)


@control_app.command("list")
def list_orders(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """List every record of agent.control, and whether it is believed.

    Example: praetor control list --json
    """
    settings = load_settings(data)
    rows = asyncio.run(_orders(settings, read_verify_keys(settings.keys, CONTROL_ROLE)))
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("offset", "kind", "author", "bytes", "believed")
    for row in rows:
        table.add_row(
            str(row["offset"]), row["kind"], row["author"], str(row["bytes"]), row["why_not"] or "yes"
        )
    Console().print(table)


async def _orders(settings: Settings, keys: list[VerifyKey]) -> list[dict[str, Any]]:
    options = common_options(settings)
    ends = Ends(options)
    await ends.start()
    try:
        start, end = await ends.beginning(PARTITION), await ends.high_watermark(PARTITION)
    finally:
        await ends.stop()
    view, rows = ControlView(keys), []
    async for records in read_partition(options, PARTITION, start, end, "read_uncommitted"):
        for record in records:
            why_not = await view.apply(record.offset, record.value)
            rows.append({"offset": record.offset, **_told(record.value), "why_not": why_not})
    return rows


def _told(value: bytes | None) -> dict[str, Any]:
    """What a record says of itself, believed or not."""
    try:
        record = decode(value, "control_record")
    except Malformed:
        record = {"kind": "", "author": ""}
    return {"kind": record["kind"][:32], "author": record["author"][:64], "bytes": len(value or b"")}


@control_app.command()
def skip(
    partition: Annotated[int, typer.Option(min=0, help="Partition of agent.actions.")],
    start: Annotated[
        int, typer.Option("--from", min=0, help="The next action to judge, as the worker says.")
    ],
    to: Annotated[int, typer.Option(min=0, help="Where to go on.")],
    reason: Annotated[str, typer.Option(help="Why it is right to leave these actions unjudged.")],
    data: DataDir = None,
) -> None:
    """Accept that actions were deleted before they were judged: go on behind them.

    Example: praetor control skip --partition 3 --from 100 --to 250 --reason "retention was too short"
    """
    if to <= start or not reason.strip():
        raise PraetorError("skip goes forward (--to above --from), and says why (--reason)")
    settings = load_settings(data)
    offset = asyncio.run(_skip(settings, {"partition": partition, "from": start, "to": to, "reason": reason}))
    typer.echo(
        f"{ACTIONS.name}/{partition}: {to - start} actions from {start} are skipped; control offset {offset}"
    )


async def _skip(settings: Settings, payload: dict[str, Any]) -> int:
    options = common_options(settings)
    key = read_signing_key(settings.keys, CONTROL_ROLE)
    view = await read_view(options, read_verify_keys(settings.keys, CONTROL_ROLE))
    order = Order(view.log_id, "skip", key.name, int(time.time() * 1000), json.dumps(payload).encode())
    return await publish_order(options, order, key)
