"""Regular expressions of rules: RE2, whose time is linear in the text, whatever expression and text are.

RE2 has no backreferences and no look-around; it counts repetitions to 1,000; sizes are bounded here.
"""

from functools import lru_cache
from typing import Protocol

import re2

LONGEST = 1_000
"""Characters of an expression."""
MOST_MEMORY = 1 << 20
"""Bytes that one compiled expression may take."""


class Expression(Protocol):
    """What is asked of an expression."""

    def search(self, text: str | bytes) -> object | None:
        """Something, if it is found anywhere in the text."""
        ...


@lru_cache(maxsize=4096)
def compile_expression(pattern: str, flags: str, longest: int = LONGEST) -> Expression:
    """Compile an expression with flags of `ims`. It is searched in UTF-8 bytes.

    Raises:
        ValueError: it is too long, no RE2, or takes too much memory; the message says what to do.
    """
    if len(pattern) > longest:
        raise ValueError(f"the expression has {len(pattern)} characters; at most {longest} are allowed")
    options = re2.Options()
    options.max_mem = MOST_MEMORY
    options.log_errors = False
    whole = f"(?{flags}){pattern}" if flags else pattern
    try:
        found: Expression = re2.compile(whole, options)
    except re2.error as error:
        raise ValueError(_told(error)) from error
    return found


def _told(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if "invalid perl operator" in text:
        return f"{text}: look-around is not supported, as it has no linear time; use a second field or 'not'"
    if "invalid escape" in text:
        return f"{text}: RE2 knows no such escape (no backreferences, which have no linear time)"
    if "too large" in text:
        return f"{text}: it takes more than {MOST_MEMORY >> 20} MiB; repeat less, or split it"
    return f"no expression of RE2: {text}"


def check_expression(pattern: str, flags: str) -> str | None:
    """Why an expression is refused; None if it is not."""
    try:
        compile_expression(pattern, flags)
    except ValueError as error:
        return str(error)
    return None
