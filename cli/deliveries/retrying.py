"""`praetor deliveries retry`: what was refused is sent once more, and no longer kept once it is taken."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from typing import Annotated

import typer

from cli.alert.files import read_alerting
from cli.deliveries.reading import chosen, event_of_kept, read_kept
from cli.destination_files import outbound_of, read_destinations
from cli.options import DataDir, TopicPrefix
from consumers.alert.alert import delivery_name
from consumers.delivery.patience import Patience
from consumers.delivery.records import DeliveryLog
from consumers.delivery.sending import Sender
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings, load_settings
from schemas.codec import Record
from sinks.receivers import receiver_sink
from sinks.registry import make_sink
from sinks.sink import Event, Sink

ONCE = Patience(first=0.2, longest=1.0, person=0.2, tries=1)
SECONDS = 60.0


def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids, as `list` prints them; all by default.")
    ] = None,
    destination: Annotated[str | None, typer.Option(help="Only what this destination refused.")] = None,
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
) -> None:
    """Send again what destinations refused, after a mend on their side or of their settings.

    Each goes under the id that it had. What is refused again stays kept, with the new answer; exit code 1
    says that something does.

    Example: praetor deliveries retry --destination splunk-main
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    taken, kept = asyncio.run(_retry(settings, destination, ids))
    typer.echo(f"{taken} delivered, {kept} refused again")
    if kept:
        raise typer.Exit(1)


async def _retry(settings: Settings, destination: str | None, ids: list[str] | None) -> tuple[int, int]:
    by_name: dict[str, list[Record]] = defaultdict(list)
    for record in chosen(await read_kept(settings), destination, ids):
        by_name[record["destination"]].append(record)
    known = _sinks(settings, by_name.keys())
    if unknown := sorted(by_name.keys() - known.keys()):
        raise PraetorError(
            f"no such destination any more: {', '.join(unknown)}; name it in PRAETOR_DESTINATIONS, a receiver"
            " of alerts in PRAETOR_ALERTING"
        )
    taken = kept = 0
    for name, records in by_name.items():
        refused = await _send(settings, name, known[name], records)
        taken, kept = taken + len(records) - refused, kept + refused
    return taken, kept


def _sinks(settings: Settings, names: Collection[str]) -> dict[str, Sink]:
    """The sinks of those destinations and receivers that are still configured."""
    outbound = outbound_of(settings)
    found: dict[str, Sink] = {}
    if settings.destinations is not None:
        known = read_destinations(settings)
        found |= {d.name: make_sink(d, outbound) for d in known if d.name in names}
    if settings.alerting is not None:
        receivers = {delivery_name(n): r for n, r in read_alerting(settings).receivers.items()}
        found |= {name: receiver_sink(r, outbound) for name, r in receivers.items() if name in names}
    return found


async def _send(settings: Settings, name: str, sink: Sink, records: list[Record]) -> int:
    """Send the records of one destination, one by one; how many it refused again."""
    refused: list[str] = []
    values = {record["id"]: record["value"] for record in records}
    log = DeliveryLog(common_options(settings), records[0]["log_id"], name, settings.topic_prefix)

    async def keep(event: Event, reason: str, tries: int) -> None:
        refused.append(event.id)
        await log.keep(event, values[event.id], reason, tries)

    sender = Sender(name, sink, keep, 1, ONCE)
    await log.open()
    try:
        for record in records:
            event = event_of_kept(record)
            async with asyncio.timeout(SECONDS):
                await sender.send([event])
            if event.id not in refused:
                await log.delivered(event, record["tries"] + 1)
    except TimeoutError as error:
        reason = sender.check().facts["reason"]
        raise PraetorError(
            f"{name} does not take events: {reason}; what it was not sent stays kept"
        ) from error
    finally:
        await sender.close()
        await log.close()
    return len(refused)
