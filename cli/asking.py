"""What a person gives a named query, as the values that ClickHouse binds; and what there is to ask, told."""

import re
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.text import Text

from cli.backtest.times import milliseconds, moment
from runtime.errors import PraetorError
from sinks.named import QUERIES, Named

MOST_ROWS = 1_000_000
SPAN = re.compile(r"\d+[smhdw]")


def values_of(query: Named, given: Iterable[str]) -> dict[str, str]:
    """The values of a query's keys: those given as KEY=VALUE, and the defaults of the others.

    Raises:
        PraetorError: a key that the query does not have or that is there twice, one that is missing, or a
            value that cannot be one; all of them together.
    """
    found: dict[str, str] = {}
    wrong = []
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or key not in query.types:
            wrong.append(f"{text!r} is not KEY=VALUE with a key of {', '.join(query.types)}")
        elif key in found:
            wrong.append(f"{key} is given twice")
        else:
            found[key] = value
    missing = [key for key in query.needed if not found.get(key)]
    wrong += [f"{key} is missing" for key in missing]
    bound: dict[str, str] = {}
    for key, value in {**query.defaults, **found}.items():
        try:
            bound[key] = _value(query, key, value)
        except PraetorError as error:
            wrong.append(f"{key}: {error}")
    if not wrong and "since" in bound and bound["since"] >= bound["until"]:
        wrong.append("since is not before until")
    if wrong:
        raise PraetorError(f"{query.name}: {'; '.join(wrong)}. Example: {command(query)}")
    return bound


def _value(query: Named, key: str, value: str) -> str:
    if key in query.choices and value not in query.choices[key]:
        raise PraetorError(f"{value!r} is none of {', '.join(c for c in query.choices[key] if c)}")
    if key == "event" and value:
        try:
            return str(UUID(value))
        except ValueError as error:
            raise PraetorError(f"{value!r} is no event id, which is a UUID") from error
    if key in ("resource", "text") and not any(letter.isalnum() for letter in value):
        raise PraetorError(f"{value!r} has no letter and no digit to look for")
    if query.types[key].startswith("DateTime"):
        return _seconds(value)
    if query.types[key].startswith("UInt"):
        if not value.isdecimal() or not 1 <= int(value) <= MOST_ROWS:
            raise PraetorError(f"{value!r} is no number from 1 to {MOST_ROWS}")
        return str(int(value))
    return value


def _seconds(text: str) -> str:
    """A time as seconds since 1970 with three decimals, ten digits before them: such texts compare."""
    now = time.time_ns() // 1_000_000
    if text == "now":
        # what is received while this is asked counts too
        at = now + 1000
    elif SPAN.fullmatch(text):
        at = now - milliseconds(text)
    else:
        at = moment(text)
    if not 10**12 <= at < 10**13:
        raise PraetorError(f"{text!r} is not between 2001 and 2286")
    return f"{at // 1000}.{at % 1000:03}"


def command(query: Named) -> str:
    """The command line of its example."""
    return f"praetor query --named {query.name} {query.example}"


def described() -> list[dict[str, Any]]:
    """Every query for machines."""
    return [
        {
            "name": query.name,
            "question": query.question,
            "needed": query.needed,
            "optional": query.defaults,
            "choices": {key: [c for c in of if c] for key, of in query.choices.items()},
            "example": command(query),
        }
        for query in QUERIES
    ]


def tell() -> None:
    """Print every query for people."""
    console = Console(soft_wrap=True, highlight=False)
    for query in QUERIES:
        console.print(Text(query.name, style="bold"), Text(query.question))
        options = ", ".join(f"{key}={value or '…'}" for key, value in query.defaults.items())
        keys = ", ".join(query.needed) or "nothing"
        console.print(Text(f"    needs {keys}; may have {options}"))
        for key, of in query.choices.items():
            console.print(Text(f"    {key} is one of {', '.join(c for c in of if c)}"))
        console.print(Text(f"    {command(query)}", style="cyan"))
    console.print("A time is 90m, 24h, 7d (before now), now, 2026-11-20 or 2026-11-20T08:30:00Z (UTC).")
