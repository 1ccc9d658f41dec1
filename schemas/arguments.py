"""The arguments of an action, as JSON that can be read in one way only."""

import json
import re
from typing import Any


class Unreadable(ValueError):
    """Arguments that are no JSON object, or that can be read in two ways; the message says which."""


_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def parse_arguments(text: str | None) -> dict[str, Any]:
    """The arguments of an action; none are an empty mapping. Whole numbers beyond 64 bits become doubles.

    Raises:
        Unreadable: they are no JSON object, or can be read in two ways (a key twice).
    """
    if text is None:
        return {}
    try:
        value = _decode(text)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the arguments are no JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise Unreadable("the arguments are no JSON object")
    if "\\u" in text and _HALF.search(text) and _has_half(value):
        raise Unreadable("the arguments hold half a character (a lone surrogate)")
    return value


def _decode(text: str) -> Any:
    """What JSON says; the decoder looks for white space around it only where there may be some."""
    if text[:1] == "{":
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            return value
    return _DECODER.decode(text)


def _has_half(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _whole(digits: str) -> int | float:
    if len(digits) < 19:
        return int(digits)
    number = float(digits)
    if -(2.0**63) <= number < 2.0**63:
        return int(digits)
    return number


def _constant(name: str) -> Any:
    raise Unreadable(f"the arguments hold {name}, which is no JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("the arguments have a key twice, which can be read in two ways")
    return found


_DECODER = json.JSONDecoder(parse_int=_whole, parse_constant=_constant, object_pairs_hook=_distinct)
"""Made once: `json.loads` with hooks makes one a call, which costs as much as reading some arguments."""
