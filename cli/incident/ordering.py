"""`praetor incident ack` and `resolve`: what a person says of an incident."""

import asyncio
import getpass
import json
import secrets
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer

from cli.incident.reading import find, read_incidents
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.errors import PraetorError
from runtime.kafka import check_access, common_options, started
from runtime.settings import Settings, load_settings
from schemas.codec import Record, encode
from schemas.topics import INCIDENT_ORDERS, topic_name
from streams.correlate.incidents import partition_of_id

Which = Annotated[str, typer.Argument(help="The incident's id, or how it begins; see `incident list`.")]
Why = Annotated[str, typer.Option(help="Why, in words; it stands in the incident's story.")]
Who = Annotated[str, typer.Option(help="Who says so. Default: the user of this machine.")]


def ack(
    incident: Which,
    reason: Why = "",
    author: Who = "",
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Say that somebody is at it: alerts stop, the incident goes on growing.

    Example: praetor incident ack inc-9f8e7d6c-3-41 --reason "being looked at"
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    _give(settings, incident, "acknowledge", (author, reason), as_json)


def resolve(
    incident: Which,
    reason: Why = "",
    author: Who = "",
    topic_prefix: TopicPrefix = "",
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Say that an incident is over. What comes later opens another.

    Example: praetor incident resolve inc-9f8e7d6c-3-41 --reason "false alarm"
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    _give(settings, incident, "resolve", (author, reason), as_json)


def _give(settings: Settings, begins: str, kind: str, said: tuple[str, str], as_json: bool) -> None:
    asyncio.run(_check(settings))
    incident = find(asyncio.run(read_incidents(settings)), begins)
    if incident["status"] == "resolved":
        raise PraetorError(f"{incident['incident_id']} is resolved already, by {incident['resolved_by']}")
    offset = asyncio.run(give_order(settings, incident, kind, said))
    told = {"incident": incident["incident_id"], "order": kind, "offset": offset}
    typer.echo(json.dumps(told) if as_json else f"{kind} {incident['incident_id']}: given to correlate")


async def _check(settings: Settings) -> None:
    topic = topic_name(INCIDENT_ORDERS, settings.topic_prefix)
    await check_access(common_options(settings), {topic: ("Write",)})


async def give_order(settings: Settings, incident: Record, kind: str, said: tuple[str, str]) -> int:
    """Write an order where the incident's correlator sees it; return its offset.

    Raises:
        PraetorError: the topic is missing, or may not be written.
    """
    options, name = common_options(settings), topic_name(INCIDENT_ORDERS, settings.topic_prefix)
    author, reason = said
    order = {
        "log_id": incident["log_id"],
        "order_id": secrets.token_hex(8),
        "kind": kind,
        "incident_id": incident["incident_id"],
        "author": author or getpass.getuser(),
        "reason": reason.strip(),
    }
    producer = await started(AIOKafkaProducer(**options, enable_idempotence=True), options)
    try:
        sent = await producer.send_and_wait(
            name,
            encode("incident_order", order),
            key=incident["incident_id"].encode(),
            partition=partition_of_id(incident["incident_id"]),
        )
    finally:
        await producer.stop()
    return int(sent.offset)
