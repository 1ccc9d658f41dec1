"""`praetor control status`: which worker has applied what, since when."""

import asyncio
import json
import time
from typing import Any

import typer

from cli.control.reading import PARTITION, read_orders
from cli.control.telling import draw, span
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.kafka import Ends, Options, common_options
from runtime.settings import Settings, load_settings
from streams.workers import Seen, read_workers

SHORT = 19


def status(data: DataDir = None, topic_prefix: TopicPrefix = "", as_json: JsonOutput = False) -> None:
    """Say what each worker has applied of agent.control, and which it did not believe.

    A worker that has said nothing for 45 s is silent: it is gone, or cut off, and then it judges nothing.
    Ages are by the broker's clock for what was said, against this machine's.

    Example: praetor control status --json
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    newest, workers = asyncio.run(_status(settings))
    now = int(time.time() * 1000)
    rows = [_row(seen, newest, now) for seen in workers]
    if as_json:
        typer.echo(json.dumps({"control_offset": newest, "workers": rows}))
        return
    typer.echo(f"agent.control ends with offset {newest}")
    if not rows:
        typer.echo("no worker has said anything: start one with `praetor govern`")
        return
    draw(
        ("worker", "state", "offset", "applied", "said", "partitions", "bundle", "canary", "refused"),
        map(_words, rows),
    )


def _words(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["worker_id"],
        row["state"],
        str(row["control_offset"]),
        span(row["applied_age_ms"]) + " ago",
        span(row["said_age_ms"]) + " ago",
        ",".join(map(str, row["partitions"])) or "none",
        (row["bundle"] or "none")[:SHORT],
        (row["canary"] or "none")[:SHORT],
        str(len(row["refused"])),
    )


async def _status(settings: Settings) -> tuple[int, list[Seen]]:
    options = common_options(settings)
    view = await read_orders(settings)
    workers = await read_workers(options, settings.topic_prefix, view.log_id)
    return await _newest(options), workers


async def _newest(options: Options) -> int:
    ends = Ends(options)
    await ends.start()
    try:
        return await ends.high_watermark(PARTITION) - 1
    finally:
        await ends.stop()


def _row(seen: Seen, newest: int, now: int) -> dict[str, Any]:
    status = seen.status
    state = "silent" if seen.is_silent(now) else "behind" if status.control_offset < newest else "current"
    return {
        "worker_id": status.worker_id,
        "state": state,
        "control_offset": status.control_offset,
        "lag": max(0, newest - status.control_offset),
        "applied_age_ms": max(0, now - seen.applied_at()),
        "said_age_ms": max(0, now - seen.at),
        "started_at": status.started_at,
        "host": status.host,
        "pid": status.pid,
        "engine": status.engine,
        "partitions": list(status.partitions),
        "bundle": status.bundle,
        "bundle_offset": status.bundle_offset,
        "canary": status.canary,
        "refused": [{"offset": offset, "why": why} for offset, why in status.refused],
    }
