"""Spans and moments as people type them: 90s, 15m, 2h, 7d; 2026-11-21T18:00Z."""

import re
from datetime import UTC, datetime

from runtime.errors import PraetorError

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def span_ms(text: str, option: str) -> int:
    """A span in milliseconds.

    Raises:
        PraetorError: it is none.
    """
    found = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text.strip())
    if found is None:
        raise PraetorError(f"{option} {text!r} is no span such as 90s, 15m, 2h or 7d")
    return int(found[1]) * UNITS_MS[found[2]]


def moment_ms(text: str, option: str) -> int:
    """A moment in milliseconds since 1970; UTC where it names no zone.

    Raises:
        PraetorError: it is none.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise PraetorError(f"{option} {text!r} is no moment such as 2026-11-21T18:00Z") from error
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
