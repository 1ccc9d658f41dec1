"""`praetor policy publish`: put rules in force."""

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from cli.policy.active import read_control
from cli.policy_files import load_files
from policies.bundle import Bundle, build_bundle, pack_bundle
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from streams.keyring import CONTROL, read_signing_key
from streams.orders import Order
from streams.topics import publish_order

LARGEST_PACKED = 7 << 20


def publish(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Policy files and folders; default: those shipped.")
    ] = None,
    data: DataDir = None,
    if_none: Annotated[bool, typer.Option("--if-none", help="Only where no bundle is in force yet.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Build a bundle, sign it, put it on agent.control; every worker swaps to it between two batches.

    Example: praetor policy publish my-policies/ --data .praetor
    """
    settings = load_settings(data)
    loaded = load_files(paths)
    policies = loaded.policies
    bundle = build_bundle(policies, loaded.detections)
    offset = asyncio.run(_publish(settings, bundle, if_none))
    if as_json:
        typer.echo(
            json.dumps({"digest": bundle.digest, "control_offset": offset, "policies": len(loaded.policies)})
        )
    elif offset is None:
        typer.echo("a bundle is in force already: nothing published")
    else:
        rules = sum(len(p.rules) for p in policies)
        typer.echo(
            f"published {bundle.digest}: {len(policies)} policies, {rules} rules, control offset {offset}"
        )


async def _publish(settings: Settings, bundle: Bundle, if_none: bool) -> int | None:
    packed = pack_bundle(bundle)
    if len(packed) > LARGEST_PACKED:
        raise PraetorError(
            f"the bundle has {len(packed)} bytes compressed; at most {LARGEST_PACKED} fit one order"
        )
    key = read_signing_key(settings.keys, CONTROL)
    view = await read_control(settings)
    if if_none and view.unread:
        raise PraetorError(view.unread)
    if if_none and view.rules is not None:
        return None
    order = Order(view.log_id, "bundle", key.name, int(time.time() * 1000), packed)
    return await publish_order(common_options(settings), order, key)
