"""Every change leaves a record of itself, in the same transaction: who, when, before, after."""

import time
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from store.models import Base, Change

BY = "by"


class Unaudited(Exception):
    """A change that nobody signs for, or that would rewrite what was recorded: a mistake of ours."""


def audited(session: Session, by: str) -> Session:
    """Have a session record its changes under a name.

    Not seen are statements that go past the session's objects (`update(...)`): none of ours does.
    """
    session.info[BY] = by
    event.listen(session, "before_flush", _record)
    return session


def _record(session: Session, *_: Any) -> None:
    if any(isinstance(row, Change) for row in (*session.dirty, *session.deleted)) or session.deleted:
        raise Unaudited("nothing is deleted, and what was recorded is not changed")
    found = [_added(row) for row in session.new if not isinstance(row, Change)]
    found += [_changed(row) for row in session.dirty if session.is_modified(row)]
    for of_table, of_row, before, after in found:
        session.add(
            Change(
                at=int(time.time() * 1000),
                by=session.info[BY],
                of_table=of_table,
                of_row=of_row,
                before=before,
                after=after,
            )
        )


Told = tuple[str, str, dict[str, Any], dict[str, Any]]


def _added(row: Base) -> Told:
    return (*_place(row), {}, {name: getattr(row, name) for name in _columns(row)})


def _changed(row: Base) -> Told:
    """Only what differs: what it was, and what it is now."""
    before, after = {}, {}
    for name in _columns(row):
        history = inspect(row).attrs[name].history
        if history.has_changes():
            before[name] = history.deleted[0] if history.deleted else None
            after[name] = history.added[0] if history.added else None
    return (*_place(row), before, after)


def _place(row: Base) -> tuple[str, str]:
    mapper = inspect(type(row))
    key = mapper.primary_key_from_instance(row)
    return str(row.__tablename__), "/".join(map(str, key))


def _columns(row: Base) -> list[str]:
    return [attribute.key for attribute in inspect(type(row)).column_attrs]
