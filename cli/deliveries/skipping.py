"""`praetor deliveries skip`: a destination goes on without what retention removed before it had it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from aiokafka import TopicPartition

from cli.deliveries.standing import committed
from cli.destination_files import read_destinations
from cli.options import DataDir, JsonOutput, TopicPrefix
from consumers.delivery.feed import group_of
from consumers.delivery.records import DeliveryLog, Receipt
from consumers.delivery.skips import Skips
from consumers.forward import route_of
from consumers.log_id import read_log_id
from runtime.errors import PraetorError
from runtime.kafka import Ends, common_options
from runtime.settings import Settings, load_settings


@dataclass(frozen=True)
class Gap:
    """Offsets of one partition that are gone, both included; `ordered` where it is told to go on already."""

    topic: str
    partition: int
    first: int
    last: int
    ordered: bool

    @property
    def count(self) -> int:
        """How many offsets; transaction markers take some."""
        return self.last - self.first + 1


def skip(
    destination: Annotated[str, typer.Argument(help="The destination that stands still.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what it would go on without.")
    ] = False,
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Let a destination go on without the records that retention removed before it had them.

    They are lost to it: nothing brings them back from Kafka (ClickHouse has them: `praetor query`). A receipt
    in agent.deliveries says which and how many; forward, which may run meanwhile, obeys it within seconds.

    Example: praetor deliveries skip splunk-main --dry-run
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    gaps = asyncio.run(_skip(settings, destination, dry_run))
    if as_json:
        typer.echo(json.dumps([asdict(gap) | {"count": gap.count} for gap in gaps]))
        return
    if not gaps:
        typer.echo(f"nothing is gone that {destination} has not had: there is nothing to skip")
    for gap in gaps:
        did = "was told already to go on without" if gap.ordered else "goes on without"
        span = f"offsets {gap.first} to {gap.last} of {gap.topic}/{gap.partition} ({gap.count})"
        typer.echo(f"{destination} {'would go on without' if dry_run and not gap.ordered else did} {span}")


async def _skip(settings: Settings, name: str, dry_run: bool) -> list[Gap]:
    found = {d.name: d for d in read_destinations(settings)}
    if name not in found:
        raise PraetorError(f"no destination {name}; there are {', '.join(found)}")
    topics = route_of(found[name], settings.topic_prefix).topics
    options = common_options(settings)
    ends = Ends(options)
    await ends.start()
    try:
        log_id = await read_log_id(options, ends)
        group = group_of(name, log_id, settings.topic_prefix)
        stands = {tp: at for tp, at in (await committed(options, group)).items() if tp.topic in topics}
        gaps = await _gaps(ends, stands, Skips(options, ends, name, settings.topic_prefix))
    finally:
        await ends.stop()
    if not dry_run:
        await _order(DeliveryLog(options, log_id, name, settings.topic_prefix), gaps)
    return gaps


async def _gaps(ends: Ends, stands: Mapping[TopicPartition, int], skips: Skips) -> list[Gap]:
    gaps = []
    for tp, at in stands.items():
        beginning = await ends.beginning(tp)
        if at < beginning:
            ordered = await skips.beyond(tp, at) is not None
            gaps.append(Gap(tp.topic, tp.partition, at, beginning - 1, ordered))
    return gaps


async def _order(log: DeliveryLog, gaps: list[Gap]) -> None:
    await log.open()
    try:
        for gap in gaps:
            if not gap.ordered:
                span = (gap.topic, gap.partition, gap.first, gap.last)
                await log.receipt(Receipt(*span, 0, 0, 0, 0, 0, skipped=gap.count))
    finally:
        await log.close()
