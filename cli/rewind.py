"""`praetor db rewind`: the archive goes on from what ClickHouse holds."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from cli.options import DataDir, JsonOutput, TopicPrefix
from consumers.log_id import read_log_id
from consumers.place import Place
from consumers.recovery import Log
from consumers.rewind import Held, Rewound, apply, need_idle, plan
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Ends, check_access, common_options, partition_counts
from runtime.settings import Settings, load_settings
from schemas.access import topic_needs
from schemas.topics import ARCHIVE, topic_name
from sinks.connection import connect, errors_of
from sinks.held import newest_insert, numbered_end
from sinks.migrate import need_migrated
from sinks.restoring import marker, unmark


def rewind_command(
    topic_prefix: TopicPrefix = "",
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss", help="Go on without threats, dead letters and checkpoints that are nowhere left."
        ),
    ] = False,
    as_json: JsonOutput = False,
    data: DataDir = None,
) -> None:
    """Have the archive go on from what ClickHouse holds: after a restore, while no archive runs.

    What Kafka still has beyond that is archived again, each row once. Safe to repeat.

    Example: praetor db rewind --json
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    found = told(rewind(settings, accept_loss))
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        typer.echo(f"{one['topic']}/{one['partition']}: archived again from offset {one['offset']}")
    if not found:
        typer.echo("ClickHouse and agent.archive agree already: nothing changed")


def rewind(settings: Settings, accept_loss: bool = False) -> list[Rewound]:
    """Set the archive's intents to what ClickHouse holds; return those that changed.

    Raises:
        PraetorError: an archive runs, or something is in neither place; nothing was changed then.
        Unavailable: Kafka or ClickHouse does not answer.
    """
    need_migrated(settings)
    with errors_of(settings):
        client = connect(settings)
        found = marker(client)
        if found is not None and found[1] == "rows":
            raise PraetorError(
                f"the restore of backup {found[0]} is not finished: run `praetor restore` again"
            )
        held = Held(
            end=lambda s: numbered_end(client, s.table, s.log_id, s.partition),
            newest=lambda s: newest_insert(client, s.table, s.topic, s.log_id, s.partition),
        )
        changed = asyncio.run(_rewind(settings, held, accept_loss))
        unmark(client)
        client.close()
    return changed


async def _rewind(settings: Settings, held: Held, accept_loss: bool) -> list[Rewound]:
    options = common_options(settings)
    await check_access(options, topic_needs("rewind", settings.topic_prefix))
    archive = topic_name(ARCHIVE, settings.topic_prefix)
    ends = Ends(options)
    await ends.start()
    try:
        log = Log(options, ends)
        log_id = await read_log_id(options, ends)
        await need_idle(log, f"{settings.topic_prefix}praetor-archive-{log_id}")
        partitions = (await partition_counts(options, [archive]))[archive]
        places = [Place(log_id, partition, settings.topic_prefix) for partition in range(partitions)]
        planned = {place: await plan(log, held, place) for place in places}
        lost = [one.lost for of in planned.values() for one in of if one.lost]
        if lost and not accept_loss:
            raise PraetorError(
                f"not everything can be had again: {'; '.join(lost)}. Use a newer backup, or accept that: "
                "praetor db rewind --accept-loss"
            )
        for place, of in planned.items():
            await apply(log, place, of)
    finally:
        await ends.stop()
    return [one for of in planned.values() for one in of if one.intent is not None]


def need_no_archive(settings: Settings) -> None:
    """Check that no archive runs, as far as Kafka can tell: where it is away or has no log, none does.

    Raises:
        PraetorError: one runs, or we may not see whether.
    """
    with suppress(Unavailable):
        asyncio.run(_need_no_archive(settings))


async def _need_no_archive(settings: Settings) -> None:
    options = common_options(settings)
    ends = Ends(options)
    await ends.start()
    try:
        try:
            log_id = await read_log_id(options, ends)
        except PraetorError:
            return
        await need_idle(Log(options, ends), f"{settings.topic_prefix}praetor-archive-{log_id}")
    finally:
        await ends.stop()


def told(found: Sequence[Rewound]) -> list[dict[str, Any]]:
    """What changed, for JSON."""
    return [
        {"topic": one.topic, "partition": one.partition, "offset": one.offset, "lost": one.lost}
        for one in found
    ]
