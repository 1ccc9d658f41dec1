"""Silences and maintenance windows: setting, ending and reading them."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from runtime.errors import PraetorError
from store.models import Silence, Window

LONGEST_MS = 366 * 86_400_000


def add_silence(session: Session, silence: Silence) -> Silence:
    """Set a silence.

    Raises:
        PraetorError: it ends before it starts, or lasts for more than a year.
    """
    _check(silence.starts, silence.ends)
    session.add(silence)
    return silence


def add_window(session: Session, window: Window) -> Window:
    """Plan a maintenance window.

    Raises:
        PraetorError: it ends before it starts, or begins again before it has ended.
    """
    _check(window.starts, window.ends)
    if window.every and window.every < window.ends - window.starts:
        raise PraetorError("a window that comes again must have ended before: make it shorter, or rarer")
    session.add(window)
    return window


def _check(starts: int, ends: int) -> None:
    if not starts < ends <= starts + LONGEST_MS:
        raise PraetorError("it must end after it starts, and within a year of that")


def expire(session: Session, name: str, now: int) -> Silence | Window:
    """End a silence or a window now; one that has not begun never begins.

    Raises:
        PraetorError: there is none of that id, or it has ended already.
    """
    found = session.get(Silence, name) or session.get(Window, name)
    if found is None:
        raise PraetorError(
            f"there is no silence and no window {name}: `praetor alert silences list` names them"
        )
    if isinstance(found, Window):
        if found.until is not None and found.until <= now:
            raise PraetorError(f"window {name} has ended already")
        found.until = now
    elif found.ends <= now:
        raise PraetorError(f"silence {name} has ended already")
    else:
        found.ends = max(now, found.starts)
    return found


def silences(session: Session, now: int | None = None) -> Sequence[Silence]:
    """All silences, or those that have not ended by `now`; the oldest first."""
    query = select(Silence).order_by(Silence.starts, Silence.id)
    return session.scalars(query if now is None else query.where(Silence.ends > now)).all()


def windows(session: Session, now: int | None = None) -> Sequence[Window]:
    """All maintenance windows, or those that are on or still to come at `now`."""
    query = select(Window).order_by(Window.starts, Window.id)
    if now is not None:
        query = query.where(or_(Window.until.is_(None), Window.until > now))
    found = session.scalars(query).all()
    return [w for w in found if now is None or w.every or w.ends > now]
