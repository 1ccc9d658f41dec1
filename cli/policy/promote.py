"""`praetor policy promote`: what some agents tried becomes what all are judged by."""

import asyncio

import typer

from cli.control.giving import conclude
from cli.control.options import How, Timeout, Wait
from cli.control.waiting import Waited
from cli.options import DataDir, JsonOutput
from cli.policy.options import TIMEOUT, Reason
from cli.policy.topic import access, told, waited, where
from cli.telling import print_json
from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings
from streams.bundle_orders import Head
from streams.bundle_publishing import Published, publishing


def promote(
    data: DataDir = None,
    reason: Reason = "",
    wait: Wait = True,
    timeout: Timeout = TIMEOUT,
    as_json: JsonOutput = False,
) -> None:
    """Put the canary's bundle in force for all agents.

    Example: praetor policy promote --reason "a week without a complaint"
    """
    how = How(False, wait, timeout, as_json)
    published, applied = asyncio.run(_promote(load_settings(data), reason, how))
    if as_json:
        print_json(told(published, applied))
    else:
        typer.echo(f"{published.head.digest} is in force for all agents: {where(published)}")
    conclude(applied, how)


async def _promote(settings: Settings, reason: str, how: How) -> tuple[Published, Waited]:
    async with publishing(access(settings), settle=True) as publisher:
        canary = publisher.bundles.in_force.canary
        if canary is None:
            raise PraetorError("there is no canary; begin one: praetor policy publish PATHS --canary 5")
        head = Head(0, canary.head.digest, signature=canary.head.signature, reason=reason)
        published = await publisher.put(head)
        return published, await waited(settings, publisher, published, how)
