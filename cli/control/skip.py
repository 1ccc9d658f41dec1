"""`praetor control skip`: go on behind actions that were deleted before they were judged."""

import asyncio
import json
import time
from typing import Annotated, Any

import typer

from cli.control.reading import read_orders
from cli.options import DataDir
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from schemas.topics import ACTIONS
from streams.keyring import CONTROL, read_signing_key
from streams.orders import Order
from streams.topics import publish_order


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
    key = read_signing_key(settings.keys, CONTROL)
    view = await read_orders(settings)
    order = Order(view.log_id, "skip", key.name, int(time.time() * 1000), json.dumps(payload).encode())
    return await publish_order(common_options(settings), order, key)
