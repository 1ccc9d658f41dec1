"""`praetor policy active`: which rules are in force."""

import asyncio
import json

import typer

from cli.options import DataDir, JsonOutput
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from streams.control import read_view
from streams.control_view import ControlView
from streams.keyring import CONTROL, read_verify_keys


async def read_control(settings: Settings) -> ControlView:
    """What agent.control says now."""
    return await read_view(common_options(settings), read_verify_keys(settings.keys, CONTROL))


def active(data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Say which bundle agent.control puts in force, and for which log.

    Example: praetor policy active --json
    """
    view = asyncio.run(read_control(load_settings(data)))
    digest = view.rules.digest if view.rules else None
    if view.unread:
        raise PraetorError(view.unread)
    if as_json:
        known = {
            "log_id": view.log_id,
            "digest": digest,
            "control_offset": view.offset,
            "rejected": view.rejected,
        }
        typer.echo(json.dumps(known))
        return
    typer.echo(f"log {view.log_id}: {digest or 'no bundle; publish one with `praetor policy publish`'}")
    typer.echo(f"control offset {view.offset}, {view.rejected} records not believed")
