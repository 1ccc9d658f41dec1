"""`praetor policy rollback`: back to a bundle that was in force, or an end to the canary."""

import asyncio
from typing import Annotated

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
    wait: Wait = True,
    timeout: Timeout = TIMEOUT,
    as_json: JsonOutput = False,
) -> None:
    """Go back to a bundle that agent.control still has, under a new serial; a canary ends.

    The policies' files are not needed. `praetor policy active` lists the bundles that are there.

    Example: praetor policy rollback --reason "denies every deployment"
    """
    if to and canary:
        raise PraetorError("--canary ends the canary; --to names a bundle for all agents: give one of them")
    how = How(False, wait, timeout, as_json)
    published, applied = asyncio.run(_rollback(load_settings(data), to, canary, reason, how))
    if as_json:
        print_json(told(published, applied))
    elif canary:
        typer.echo(f"the canary has ended: {where(published)}")
    else:
        typer.echo(f"back to {published.head.digest}: {where(published)}")
    conclude(applied, how)


async def _rollback(
    settings: Settings, to: str, canary: bool, reason: str, how: How
) -> tuple[Published, Waited]:
    async with publishing(access(settings), settle=not canary and not to) as publisher:
        head = (
            Head(0, "", "canary", reason=reason) if canary else _back(settings, publisher.bundles, to, reason)
        )
        published = await publisher.put(head)
        return published, await waited(settings, publisher, published, how)


def _back(settings: Settings, bundles: BundleFold, to: str, reason: str) -> Head:
    target = _named(bundles, to) if to else _before(bundles)
    digest, signature = target.head.digest, target.head.signature
    if not signature:  # of before bundles were signed
        signature = sign_digest(digest, read_policy_key(settings))
    return Head(0, digest, signature=signature, reason=reason)


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
