"""Values as a person reads them: in one line, of bounded length."""

import json
from collections.abc import Iterable
from typing import Any

LONGEST = 300


def listed(entries: Iterable[Any]) -> str:
    """Several, with commas between them."""
    told = ", ".join(str(e) if str(e).isprintable() else shown(e) for e in entries)
    return told if len(told) <= LONGEST else told[:LONGEST] + " ..."


def shown(value: Any) -> str:
    """A value in one line of bounded length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."
