"""Traces with something of them changed, alike in prompts, arguments and results of a trace."""

import copy
import random
import re
import string
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from bench.flow.histories import Lines

_NAMED = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://)?www\.[\w.-]+|\b(?=\w*\d)(?=\w*[A-Za-z])\w{4,}\b"
    r"|\b[A-Z][a-z]+(?: [A-Z][a-z]+)+\b"
)
_PART = re.compile(r"[A-Za-z0-9]+")
_KEPT = frozenset("http https www com org net".split())


def other(part: str) -> str:
    """Letters for letters, digits for digits: the same each time."""
    draw = random.Random(sha256(part.encode()).digest())
    return "".join(
        draw.choice(string.ascii_lowercase) if c.islower()
        else draw.choice(string.ascii_uppercase) if c.isupper()
        else draw.choice(string.digits) if c.isdigit() else c
        for c in part
    )  # fmt: skip


def renamed(text: str) -> str:
    """Addresses, codes and names of several words become others of the same form."""
    return _NAMED.sub(lambda m: _PART.sub(lambda p: p[0] if p[0] in _KEPT else other(p[0]), m[0]), text)


def flat(text: str) -> str:
    """Blank lines go, so that nothing is set apart by them."""
    return re.sub(r"\n[ \t]*\n\s*", "\n", text).replace("\\n\\n", " ")


def identifiers(lines: Lines) -> Lines:
    return _altered(lines, renamed, ("user_prompt", "args", "result"))


def blank_lines(lines: Lines) -> Lines:
    return _altered(lines, flat, ("result",))


def tool_names(lines: Lines) -> Lines:
    return [line | {"tool": other(line["tool"].replace("_", "a"))} for line in lines]


def _altered(lines: Lines, change: Callable[[str], str], fields: tuple[str, ...]) -> Lines:
    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        return [walk(item) for item in value] if isinstance(value, list) else value

    return [copy.copy(line) | {name: walk(line[name]) for name in fields} for line in lines]
