"""`praetor alert test`: one notification, marked as a trial, to each receiver."""

import time
import uuid
from functools import partial
from typing import Annotated

import typer

from cli.alert.files import read_alerting
from cli.destination_files import outbound_of
from cli.options import DataDir, JsonOutput
from cli.trials import try_each
from runtime.errors import PraetorError
from runtime.settings import load_settings
from schemas.catalogue import newest
from schemas.codec import Record, decode_body, encode_body
from sinks.receivers import receiver_sink
from sinks.sink import Event


def test(
    names: Annotated[list[str] | None, typer.Argument(help="Only these receivers; all by default.")] = None,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Send one notification, marked as a trial, to each receiver, and tell what became of it.

    Example: praetor alert test oncall
    """
    settings = load_settings(data)
    found = read_alerting(settings).receivers
    if unknown := sorted(set(names or ()) - found.keys()):
        raise PraetorError(f"no receiver {', '.join(unknown)}; there are {', '.join(found)}")
    outbound = outbound_of(settings)
    try_each(
        {
            name: (partial(receiver_sink, found[name], outbound), trial_notification(name))
            for name in names or found
        },
        as_json,
    )


def trial_notification(receiver: str) -> Event:
    """A notification of lowest severity, under an id of its own each time; it stands in no topic."""
    now, name = round(time.time() * 1000), f"trial-{uuid.uuid4()}"
    record: Record = {
        "log_id": "trial",
        "notification_id": name,
        "receiver": receiver,
        "route": "trial",
        "group_id": name,
        "number": 1,
        "action": "trial",
        "kind": "threat",
        "reason": "trial",
        "severity": "informational",
        "title": "Trial of a receiver",
        "text": "This was sent to see whether it arrives. Nothing happened.",
        "at": now,
        "first_at": now,
        "last_at": now,
        "count": 0,
        "fresh": 0,
        "queries": ["praetor alert routes"],
    }
    of = newest("notification")
    return Event("notification", name, None, "", 0, 0, decode_body(of, encode_body(of, record)))
