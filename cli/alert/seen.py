"""`praetor alert ack`, `note`, `notes`: who sees to what, and what was written about it."""

import json
import time
from typing import Annotated

import typer

from cli.options import DataDir, JsonOutput
from cli.stored import By, opened, whoever
from runtime.settings import load_settings
from sinks.formats.notice import moment
from store.models import Acknowledgement, Note
from store.seen import acknowledge, write_note
from store.seen import notes as read_notes

Subject = Annotated[
    str, typer.Argument(help="An incident's id, or an alert group's, as notifications name it.")
]


def ack(
    subject: Subject,
    comment: Annotated[str, typer.Option(help="What you are doing about it.")] = "",
    by: By = "",
    data: DataDir = None,
) -> None:
    """Say that you see to an alert: it is told no more, unless it gets worse. Pagers are told that, too.

    For an incident, `praetor incident ack` says the same to everything else that reads incidents.

    Example: praetor alert ack 8c1f09aa7d3e5b21 --comment "on it"
    """
    who = whoever(by)
    made = Acknowledgement(subject=subject, comment=comment, made_by=who, made_at=round(time.time() * 1000))
    with opened(load_settings(data)) as store, store.changing(who) as session:
        acknowledge(session, made)
    typer.echo(f"{subject} is acknowledged by {who}")


def note(
    subject: Subject,
    text: Annotated[str, typer.Argument(help="What there is to say.")],
    by: By = "",
    data: DataDir = None,
) -> None:
    """Write a note about an incident or an alert group.

    Example: praetor alert note 8c1f09aa7d3e5b21 "the agent's key was rotated"
    """
    who = whoever(by)
    made = Note(subject=subject, text=text, made_by=who, made_at=round(time.time() * 1000))
    with opened(load_settings(data)) as store, store.changing(who) as session:
        write_note(session, made)
    typer.echo(f"noted under {subject}")


def notes(subject: Subject, data: DataDir = None, as_json: JsonOutput = False) -> None:
    """Read what was written about an incident or an alert group.

    Example: praetor alert notes 8c1f09aa7d3e5b21
    """
    with opened(load_settings(data)) as store, store.reading() as session:
        found = read_notes(session, subject)
    if as_json:
        rows = [{"id": n.id, "text": n.text, "by": n.made_by, "at": n.made_at} for n in found]
        typer.echo(json.dumps(rows))
        return
    for each in found:
        typer.echo(f"{moment(each.made_at)} {each.made_by}: {each.text}")
    if not found:
        typer.echo("nothing was noted")
