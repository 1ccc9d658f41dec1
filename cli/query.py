"""`praetor query`: SQL, or a query with a name, to ClickHouse; the answer to standard output."""

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.asking import described, tell, values_of
from cli.options import DataDir
from runtime.errors import PraetorError
from runtime.settings import Settings, load_settings
from sinks.connection import connect, errors_of
from sinks.named import named

# ClickHouse writes these formats itself; a table for people is drawn here from its JSON.
WIRE = {"table": "JSONCompact", "json": "JSONEachRow", "csv": "CSVWithNames"}


class Format(StrEnum):
    """How the answer is printed."""

    table = "table"
    json = "json"
    csv = "csv"


def query(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SQL | KEY=VALUE...",
            help="The statement, - reads it from standard input; with --named, the query's keys.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--named", metavar="NAME", help="Ask a query by name.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Explain the queries that have a name.")] = False,
    show_sql: Annotated[
        bool, typer.Option("--sql", help="With --named: print its statement, for another client.")
    ] = False,
    output: Annotated[
        Format,
        typer.Option("--format", help="table for people; json (one object a line) and csv for machines."),
    ] = Format.table,
    param: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, bound to {NAME:Type} in the statement; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    data: DataDir = None,
) -> None:
    """Ask ClickHouse: a query that has a name, or SQL.

    What there is to ask: `praetor query --list`, docs/analysts/README.md.

    Example: praetor query --named agent-actions tenant=acme agent=coder-1 since=7d

    Example: praetor query "SELECT agent_id, rule, reason FROM decisions_overview WHERE effect = 'deny'"
    """
    output = Format.json if as_json else output
    if list_them:
        tell() if output is not Format.json else typer.echo(json.dumps(described()))
        return
    if name is not None and show_sql:
        typer.echo(named(name).sql)
        return
    if name is not None:
        query = named(name)
        statement, parameters = query.sql, values_of(query, words or ())
    else:
        statement, parameters = _statement(words or []), read_parameters(param or ())
    answer = ask(load_settings(data), statement, WIRE[output.value], parameters)
    if output is Format.table:
        draw(answer)
    else:
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


def _statement(words: list[str]) -> str:
    """The one statement of the command line, or of standard input."""
    if len(words) != 1:
        raise PraetorError(
            f"one statement is needed, in quotes; {len(words)} arguments were given. Or name a query: --named"
            " NAME; `praetor query --list` says which there are"
        )
    return sys.stdin.read() if words[0] == "-" else words[0]


def read_parameters(given: Iterable[str]) -> dict[str, str]:
    """Return the values by name.

    Raises:
        PraetorError: one has no `=`.
    """
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise PraetorError(f"--param {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def ask(settings: Settings, sql: str, data_format: str, parameters: dict[str, str]) -> bytes:
    """Run one statement and return its answer in a ClickHouse format; a FORMAT in the statement wins.

    Raises:
        PraetorError: ClickHouse refuses; its own words on one line.
        Unavailable: ClickHouse does not answer.
    """
    statement = sql.strip().rstrip(";").rstrip()
    if not statement:
        raise PraetorError("the statement is empty")
    with errors_of(settings):
        client = connect(settings)
        try:
            return client.raw_query(
                statement,
                parameters=parameters,
                fmt=None,
                settings={
                    "default_format": data_format,
                    "output_format_json_quote_64bit_integers": 0,
                    "output_format_json_quote_denormals": 1,
                },
            )
        finally:
            client.close()


def draw(answer: bytes) -> None:
    """Print ClickHouse's JSONCompact as a table; anything else (a FORMAT of one's own) as it is."""
    try:
        found = json.loads(answer)
        names, rows = [column["name"] for column in found["meta"]], found["data"]
    except (ValueError, TypeError, KeyError):
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
        return
    table = Table()
    for name in names:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row))
    console = Console() if sys.stdout.isatty() else Console(width=wide_enough(names, rows))
    console.print(table)
    console.print(f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}", highlight=False)


def shown(value: object) -> str:
    """A value as one line of text; NULL as ∅, what is nested as JSON."""
    if value is None:
        return "∅"
    if isinstance(value, str):
        return value.replace("\r", "\\r").replace("\n", "\\n")
    return json.dumps(value, ensure_ascii=False)


def wide_enough(names: list[str], rows: list[list[object]]) -> int:
    """A width at which no cell is cut, for output that is not a terminal."""
    cells = [names, *([shown(value) for value in row] for row in rows)]
    return max(80, sum(max(len(row[i]) for row in cells) + 3 for i in range(len(names))) + 1)
