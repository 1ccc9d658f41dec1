"""`praetor policy active`: which rules are in force, for whom, since when; what was refused."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.control.telling import draw, moment
from cli.options import DataDir, JsonOutput
from cli.telling import count, print_json
from policies.bundle import unpack_bundle
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from streams.bundle_state import Placed
from streams.control import read_view
from streams.control_view import ControlView
from streams.keyring import CONTROL, read_policy_keys, read_verify_keys
from streams.workers import Seen, read_workers


def active(
    data: DataDir = None,
    rules: Annotated[bool, typer.Option("--rules", help="Name each rule.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Say which bundle is in force, the canary's too, by whom and since when; what can be gone back to.

    Also which bundles were refused, and why; and which worker judges by which.

    Example: praetor policy active --json
    """
    view, workers = asyncio.run(_read(load_settings(data)))
    if as_json:
        print_json({**_known(view, rules), "workers": [_worker(seen) for seen in workers]})
    else:
        _tell(view, rules)
        _tell_workers(workers)
    if view.unread:
        raise PraetorError(view.unread)


async def _read(settings: Settings) -> tuple[ControlView, list[Seen]]:
    options, control = common_options(settings), read_verify_keys(settings.keys, CONTROL)
    view = await read_view(options, control, read_policy_keys(settings.keys))
    try:
        return view, await read_workers(options, settings.topic_prefix, view.log_id)
    except PraetorError:  # a log of before workers told
        return view, []


def _known(view: ControlView, rules: bool) -> dict[str, Any]:
    bundles, now = view.bundles, view.bundles.in_force
    return {
        "log_id": view.log_id,
        "digest": view.rules.digest if view.rules else None,
        "control_offset": view.offset,
        "rejected": view.rejected,
        "stable": _placed(now.stable, rules) if now.stable else None,
        "canary": _placed(now.canary, rules) if now.canary else None,
        "kept": [_placed(placed) for placed in bundles.kept.values()],
        "refused": [asdict(refused) for refused in bundles.refused],
        "unread": view.unread or None,
    }


def _placed(placed: Placed, rules: bool | None = None) -> dict[str, Any]:
    head = placed.head
    known: dict[str, Any] = {
        "digest": head.digest,
        "serial": head.serial,
        "since_offset": placed.offset,
        "issued_at": placed.issued_at,
        "author": placed.author,
        "signed_by": list(placed.signers),
        "reason": head.reason,
    }
    if head.slot == "canary":
        known["share"] = head.share
    if rules is not None and not placed.strange:
        names = list(_rules(placed))
        known["rules"] = names if rules else len(names)
    return known


def _rules(placed: Placed) -> Iterator[str]:
    for policy in unpack_bundle(placed.packed).content.policies:
        for rule in policy.rules:
            yield f"{policy.name}/{rule.id}"


def _tell(view: ControlView, rules: bool) -> None:
    now, bundles = view.bundles.in_force, view.bundles
    typer.echo(f"log {view.log_id}, control offset {view.offset}, {view.rejected} records not believed")
    if now.stable is None:
        typer.echo("no bundle; publish one with `praetor policy publish`")
    for placed, whom in ((now.stable, "all agents"), (now.canary, "canary")):
        if placed is not None:
            _tell_placed(placed, whom, rules)
    past = [p for digest, p in bundles.kept.items() if now.stable is None or digest != now.stable.head.digest]
    if past:
        typer.echo("can be gone back to:")
        rows = ((_short(p.head.digest), str(p.head.serial), _time(p.issued_at), p.head.reason) for p in past)
        draw(("digest", "serial", "issued", "reason"), rows, wrapped="reason")
    for refused in bundles.refused:
        typer.echo(
            f"refused at offset {refused.offset} ({refused.why}), by {refused.author}: {refused.message}"
        )


def _worker(seen: Seen) -> dict[str, Any]:
    status = seen.status
    return {
        "worker": status.worker_id,
        "digest": status.bundle,
        "since_offset": status.bundle_offset,
        "canary": status.canary,
        "control_offset": status.control_offset,
        "partitions": list(status.partitions),
        "told_at": seen.at,
    }


def _tell_workers(workers: list[Seen]) -> None:
    if not workers:
        typer.echo("no worker has said what it judges by")
        return
    headings = ("worker", "judges by", "since offset", "canary", "control offset", "last heard")
    draw(headings, (_row(seen) for seen in workers))


def _row(seen: Seen) -> tuple[str, ...]:
    status = seen.status
    since = "" if status.bundle_offset is None else str(status.bundle_offset)
    bundle, canary = _short(status.bundle or "nothing"), _short(status.canary or "")
    return status.worker_id, bundle, since, canary, str(status.control_offset), _time(seen.at)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _tell_placed(placed: Placed, whom: str, rules: bool) -> None:
    head = placed.head
    if head.slot == "canary":
        whom = f"canary, {head.share:g}% of the agents"
    names = [] if placed.strange else list(_rules(placed))
    signed = ", ".join(placed.signers) or "the order alone"
    typer.echo(f"{whom}: {head.digest or 'cannot be read'}")
    typer.echo(
        f"  serial {head.serial} by {placed.author} since control offset {placed.offset}"
        f" ({_time(placed.issued_at)}), signed by {signed}; {count(len(names), 'rule')}"
    )
    if head.reason:
        typer.echo(f"  {head.reason}")
    for name in names if rules else ():
        typer.echo(f"  {name}")


def _time(milliseconds: int) -> str:
    try:
        return moment(milliseconds)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
