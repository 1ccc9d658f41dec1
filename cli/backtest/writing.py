"""A report on the console, as Markdown (a comment at a merge request), as one page of HTML."""

import html
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.backtest.tables import Section
from runtime.errors import PraetorError

STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{border:1px solid #8884;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}"
)
ESCAPED = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>()#+!|~"})


def show(sections: Iterable[Section], console: Console) -> None:
    """Print them."""
    for section in sections:
        console.print(Text(f"\n{section.title}", style="bold"))
        for line in section.lines:
            console.print(Text(line))
        if section.rows:
            table = Table(*section.columns)
            for row in section.rows:
                table.add_row(*(Text(cell, overflow="fold") for cell in row))
            console.print(table)


def as_markdown(sections: Iterable[Section]) -> str:
    """The same as Markdown; what policies and actions say cannot become markup."""
    parts: list[str] = []
    for section in sections:
        parts.append(f"## {_escape(section.title)}" if not parts else f"### {_escape(section.title)}")
        parts += [_escape(line) for line in section.lines]
        if section.rows:
            lines = [section.columns, ["---"] * len(section.columns), *section.rows]
            cells = [[c if i == 1 else _escape(c) for c in line] for i, line in enumerate(lines)]
            parts.append("\n".join("| " + " | ".join(row) + " |" for row in cells))
    return "\n\n".join(parts) + "\n"


def _escape(text: str) -> str:
    # at-signs would call people
    return " ".join(text.split()).translate(ESCAPED).replace("@", "@\u200b")


def as_html(sections: Iterable[Section]) -> str:
    """The same as one page that needs nothing else."""
    parts = [f"<!doctype html><meta charset=utf-8><title>Backtest</title><style>{STYLE}</style>"]
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>")
        parts += [f"<p>{html.escape(line)}</p>" for line in section.lines]
        if section.rows:
            head = "".join(f"<th>{html.escape(name)}</th>" for name in section.columns)
            rows = [
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
                for row in section.rows
            ]
            parts.append(f"<table><tr>{head}</tr>{''.join(rows)}</table>")
    return "\n".join(parts) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        PraetorError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PraetorError(f"{path}: {error.strerror}") from error
