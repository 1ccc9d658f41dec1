"""What lint found, for people, for machines, for GitHub, for whoever reads SARIF."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import quote

import typer

from cli.telling import count, print_json
from documents.lints import Codes, Level, Remark
from documents.node import Mistake

MOST_TOLD = 200
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_LINE = "%\r\n"
"""What ends or bends a line of GitHub's, and so is escaped."""


class Kind(NamedTuple):
    """Whose findings they are.

    Attributes:
        tool: the command.
        mistake: the code of all mistakes, where a format wants one.
        codes: what else is found.
    """

    tool: str
    mistake: str
    codes: Codes


class Told(NamedTuple):
    """What came of looking.

    Attributes:
        kind: whose findings they are.
        mistakes: if there are any, nothing else was looked at.
        findings: warnings and notes.
        counts: how many there are of what was looked at, by its name.
        size: the same in words.
    """

    kind: Kind
    mistakes: Sequence[Mistake]
    findings: Sequence[Remark]
    counts: Mapping[str, int]
    size: str

    def count(self, level: Level) -> int:
        """How many findings there are of a level."""
        return sum(self.kind.codes[f.code].level is level for f in self.findings)


def write_text(told: Told) -> None:
    """A line each; mistakes to standard error, at most `MOST_TOLD` of them."""
    for mistake in told.mistakes[:MOST_TOLD]:
        typer.echo(str(mistake), err=True)
    if len(told.mistakes) > MOST_TOLD:
        typer.echo(f"... and {len(told.mistakes) - MOST_TOLD} more", err=True)
    if told.mistakes:
        typer.echo(count(len(told.mistakes), "mistake"), err=True)
        return
    for finding in told.findings:
        typer.echo(finding.told(told.kind.codes))
    found = f"{count(told.count(Level.warning), 'warning')}, {count(told.count(Level.note), 'note')}"
    typer.echo(
        f"{told.size}: no mistake found" + (f"; {found} (--codes explains them)" if told.findings else "")
    )


def as_json(told: Told) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "ok": not told.mistakes,
        "mistakes": [m._asdict() for m in told.mistakes],
        "findings": [f._asdict() | {"level": told.kind.codes[f.code].level.value} for f in told.findings],
        **told.counts,
    }


def write_github(told: Told) -> None:
    """Workflow commands, which GitHub draws beside the lines.

    Source: docs.github.com, workflow commands for GitHub Actions.
    """
    for finding, level in _all(told):
        kind = {"error": "error", "warning": "warning", "note": "notice"}[level]
        where = {"file": finding.source, "line": finding.line, "col": finding.column, "title": finding.code}
        given = ",".join(f"{key}={_escape(str(value), _LINE + ':,')}" for key, value in where.items())
        typer.echo(f"::{kind} {given}::{_escape(finding.message, _LINE)}")


def _escape(text: str, chars: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in chars else c for c in text)


def _all(told: Told) -> Iterator[tuple[Remark, str]]:
    for mistake in told.mistakes:
        yield (
            Remark(mistake.source, mistake.line, mistake.column, told.kind.mistake, mistake.message),
            "error",
        )
    for finding in told.findings:
        yield finding, told.kind.codes[finding.code].level.value


def sarif(told: Told) -> dict[str, Any]:
    """A SARIF 2.1.0 log of one run (OASIS, sarif-v2.1.0)."""
    found = list(_all(told))
    rules = [
        _rule(told.kind.mistake, "mistake", "error", "The file is refused; the message says what to do.")
    ]
    rules += [_rule(c.id, c.name, c.level.value, c.text) for c in told.kind.codes.values()]
    driver = {
        "name": told.kind.tool,
        "version": version("praetor-server"),
        "rules": rules,
    }
    places = {rule["id"]: i for i, rule in enumerate(rules)}
    results = [_result(finding, level, places[finding.code]) for finding, level in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}


def _rule(code: str, name: str, level: str, text: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": name.replace("-", " ")},
        "fullDescription": {"text": text},
        "help": {"text": text},
        "defaultConfiguration": {"level": level},
    }


def _result(finding: Remark, level: str, place: int) -> dict[str, Any]:
    region = {"startLine": finding.line, "startColumn": finding.column}
    location = {"artifactLocation": {"uri": quote(finding.source)}, "region": region}
    return {
        "ruleId": finding.code,
        "ruleIndex": place,
        "level": level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": location}],
    }


WRITERS: Mapping[str, Callable[[Told], None]] = {
    "text": write_text,
    "json": lambda told: print_json(as_json(told)),
    "github": write_github,
    "sarif": lambda told: print_json(sarif(told)),
}
