"""`praetor policy rollback`: back to a bundle that was in force, or an end to the canary."""

import asyncio
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from cli.policy.options import Reason
from cli.policy.telling import print_json
from cli.policy.topic import access, told, where
from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings
from streams.bundle_orders import Head
from streams.bundle_publishing import Published, publishing
from streams.bundle_signature import sign_digest
from streams.bundle_state import Placed
from streams.bundles import KEPT, BundleFold
from streams.policy_key import read_policy_key


def rollback(
    to: Annotated[
        str,
        typer.Option(
            help="Digest of the bundle, or how it begins; default: the one before.", metavar="DIGEST"
        ),
    ] = "",
    canary: Annotated[bool, typer.Option("--canary", help="End the canary; its agents go back.")] = False,
    data: DataDir = None,
    reason: Reason = "",
    as_json: JsonOutput = False,
) -> None:
    """Go back to a bundle that agent.control still has, under a new serial; a canary ends.

    The policies' files are not needed. `praetor policy active` lists the bundles that are there.

    Example: praetor policy rollback --reason "denies every deployment"
    """
    if to and canary:
        raise PraetorError("--canary ends the canary; --to names a bundle for all agents: give one of them")
    settings = load_settings(data)
    published = asyncio.run(_end_canary(settings, reason) if canary else _rollback(settings, to, reason))
    if as_json:
        print_json(told(published))
    elif canary:
        typer.echo(f"the canary has ended: {where(published)}")
    else:
        typer.echo(f"back to {published.head.digest}: {where(published)}")


async def _end_canary(settings: Settings, reason: str) -> Published:
    async with publishing(access(settings)) as publisher:
        return await publisher.put(Head(0, "", "canary", reason=reason))


async def _rollback(settings: Settings, to: str, reason: str) -> Published:
    async with publishing(access(settings), settle=True) as publisher:
        target = _named(publisher.bundles, to) if to else _before(publisher.bundles)
        digest, signature = target.head.digest, target.head.signature
        if not signature:  # of before bundles were signed
            signature = sign_digest(digest, read_policy_key(settings))
        return await publisher.put(Head(0, digest, signature=signature, reason=reason))


def _before(bundles: BundleFold) -> Placed:
    stable = bundles.in_force.stable
    for placed in reversed(bundles.history):
        other = (
            stable is not None and placed.offset < stable.offset and placed.head.digest != stable.head.digest
        )
        if other and placed.head.digest in bundles.kept:
            return bundles.kept[placed.head.digest]
    raise PraetorError("there is no other bundle to go back to: `praetor policy publish` brings one")


def _named(bundles: BundleFold, to: str) -> Placed:
    wanted = to.removeprefix("sha256:")
    found = [p for digest, p in bundles.kept.items() if digest.removeprefix("sha256:").startswith(wanted)]
    if len(found) != 1 or len(wanted) < 6:
        there = "\n".join(bundles.kept)
        raise PraetorError(
            f"{to!r} names {len(found)} of the last {KEPT} bundles; give 6 digits or more of one of\n{there}"
        )
    return found[0]
