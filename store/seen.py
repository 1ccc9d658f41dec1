"""Acknowledgements and notes: who sees to what, and what was written about it; and who changed what."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from runtime.errors import PraetorError
from store.models import Acknowledgement, Change, Note


def acknowledge(session: Session, made: Acknowledgement) -> None:
    """Say that somebody sees to a group of alerts or an incident.

    Raises:
        PraetorError: somebody does already.
    """
    found = session.get(Acknowledgement, made.subject)
    if found is not None:
        raise PraetorError(f"{made.subject} is acknowledged by {found.made_by} already")
    session.add(made)


def acknowledgements(session: Session, since: int = 0) -> Sequence[Acknowledgement]:
    """Those made since a time, the oldest first."""
    query = select(Acknowledgement).where(Acknowledgement.made_at >= since)
    return session.scalars(query.order_by(Acknowledgement.made_at)).all()


def write_note(session: Session, note: Note) -> None:
    """Keep a note."""
    session.add(note)


def notes(session: Session, subject: str) -> Sequence[Note]:
    """What was written about an incident or a group of alerts, the oldest first."""
    query = select(Note).where(Note.subject == subject)
    return session.scalars(query.order_by(Note.made_at, Note.id)).all()


def changes(session: Session, last: int = 100) -> Sequence[Change]:
    """The last changes, the newest first."""
    return session.scalars(select(Change).order_by(Change.id.desc()).limit(last)).all()
