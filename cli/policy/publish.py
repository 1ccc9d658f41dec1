"""`praetor policy publish`: put a bundle in force, for all agents or for some."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.control.giving import conclude
from cli.control.options import How, Timeout, Wait
from cli.control.waiting import Waited
from cli.options import DataDir, JsonOutput
from cli.policy.options import TIMEOUT, Reason
from cli.policy.signing import read_bundle, read_signature
from cli.policy.topic import access, told, waited, where
from cli.policy_files import load_files
from cli.telling import count, print_json
from judgement.rules import compile_rules
from policies.bundle import Bundle, pack_bundle
from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings
from streams.bundle_orders import Head, Slot
from streams.bundle_publishing import Published, publishing
from streams.bundle_signature import sign_digest
from streams.bundle_state import FAILURES
from streams.keyring import read_policy_keys
from streams.policy_key import read_policy_key


def publish(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Policy files and folders, or one signed bundle (.json); default: those shipped."
        ),
    ] = None,
    data: DataDir = None,
    if_none: Annotated[bool, typer.Option("--if-none", help="Only where no bundle is in force yet.")] = False,
    canary: Annotated[
        float | None,
        typer.Option(help="For this share of the agents, in percent; the others go on as before."),
    ] = None,
    reason: Reason = "",
    wait: Wait = True,
    timeout: Timeout = TIMEOUT,
    as_json: JsonOutput = False,
) -> None:
    """Put a bundle in force: it goes onto agent.control, and every worker swaps to it between two batches.

    Policy files are built into a bundle and signed first. A bundle file must have its signature beside it.

    Example: praetor policy publish my-policies/ --data .praetor
    """
    settings = load_settings(data)
    bundle, signature = _signed(paths, settings)
    _check(bundle, canary)
    slot: Slot = "stable" if canary is None else "canary"
    head = Head(0, bundle.digest, slot, canary or 0, signature=signature, reason=reason)
    how = How(False, wait, timeout, as_json)
    published, applied = asyncio.run(_publish(settings, head, bundle, if_none, how))
    _tell(bundle, published, applied, as_json)
    if published is not None:
        conclude(applied, how)


def _check(bundle: Bundle, canary: float | None) -> None:
    if canary is not None and (not 0 < canary <= 100 or round(canary, 2) != canary):
        raise PraetorError("--canary is a percentage above 0 and up to 100, with two decimals at most")
    try:
        compile_rules(bundle)
    except FAILURES as error:
        raise PraetorError(f"the bundle does not compile, nothing was published: {error}") from error


def _tell(bundle: Bundle, published: Published | None, applied: Waited, as_json: bool) -> None:
    policies = bundle.content.policies
    if as_json:
        nothing = {"digest": bundle.digest, "control_offset": None}
        print_json({**(told(published, applied) if published else nothing), "policies": len(policies)})
    elif published is None:
        typer.echo("a bundle is in force already: nothing published")
    else:
        size = f"{count(len(policies), 'policy')}, {count(sum(len(p.rules) for p in policies), 'rule')}"
        head = published.head
        whom = f" for {head.share:g}% of the agents" if head.slot == "canary" else ""
        typer.echo(f"published {bundle.digest}{whom}: {size}, {where(published)}")


def _signed(paths: list[Path] | None, settings: Settings) -> tuple[Bundle, str]:
    trusted = read_policy_keys(settings.keys)
    if paths and len(paths) == 1 and paths[0].suffix == ".json":
        bundle = read_bundle(paths[0])
        return bundle, read_signature(paths[0], bundle.digest, trusted)
    loaded = load_files(paths)
    bundle = loaded.bundle()
    key = read_policy_key(settings)
    if key.verify_key not in trusted:
        raise PraetorError(
            f"the key {key.verify_key.id} signs policies here, but is none of the trusted ones: workers would"
            " refuse the bundle. `praetor policy keys` names those"
        )
    return bundle, sign_digest(bundle.digest, key)


async def _publish(
    settings: Settings, head: Head, bundle: Bundle, if_none: bool, how: How
) -> tuple[Published | None, Waited]:
    async with publishing(access(settings), settle=if_none) as publisher:
        in_force = publisher.bundles.in_force
        if if_none and in_force.unread:
            raise PraetorError(in_force.unread)
        if if_none and in_force.stable is not None:
            return None, Waited()
        published = await publisher.put(head, pack_bundle(bundle))
        return published, await waited(settings, publisher, published, how)
