"""Times and lengths of time as a person gives them."""

import re
from datetime import UTC, datetime

from cli.backtest.source import Window
from runtime.errors import PraetorError

_LENGTH = re.compile(r"([1-9][0-9]{0,6})([smhdw])\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def milliseconds(length: str) -> int:
    """The milliseconds of 90s, 15m, 12h, 7d or 2w.

    Raises:
        PraetorError: it is none of these.
    """
    found = _LENGTH.match(length)
    if found is None:
        raise PraetorError(f"{length!r} is no length of time: write a number and s, m, h, d or w, as in 7d")
    return int(found[1]) * _UNITS[found[2]] * 1000


def moment(text: str) -> int:
    """The milliseconds since 1970 of a date or time (ISO 8601); UTC where no zone is given.

    Raises:
        PraetorError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PraetorError(f"{text!r} is no time: write 2026-11-20 or 2026-11-20T08:30:00Z") from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)


def window_of(since: str, start: str, end: str, warm_up: str, now_ms: int) -> Window:
    """The window of some options, of which those not given are empty.

    Raises:
        PraetorError: they contradict each other, none is given, or the window has no length.
    """
    if bool(since) == bool(start):
        raise PraetorError(
            "say which stored actions: --since 7d, or --from with or without --to; or name a file of actions"
        )
    until = moment(end) if end else now_ms
    begin = moment(start) if start else until - milliseconds(since)
    if begin >= until:
        raise PraetorError(f"the window ends (--to) before it begins: {told(begin)} to {told(until)}")
    return Window(begin, until, milliseconds(warm_up) if warm_up else 0)


def told(ms: int) -> str:
    """A time for people, to the second, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
