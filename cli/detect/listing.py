"""`praetor detect list`: every detection there is, and what it covers."""

import shutil
import sys
from collections import Counter
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.detection_files import Paths, load_files
from cli.options import JsonOutput
from cli.telling import count, print_json
from detections.about import About
from detections.abouts import ABOUTS
from detections.loading import Loaded, PlacedRule
from detections.sigma.correlation.model import Correlation
from detections.sigma.tags import finding_tags

WIDE = 10_000
OWASP = {
    "ASI01": "Agent goal hijack",
    "ASI02": "Tool misuse and exploitation",
    "ASI03": "Identity and privilege abuse",
    "ASI04": "Agentic supply chain vulnerabilities",
    "ASI05": "Unexpected code execution",
    "ASI06": "Memory and context poisoning",
    "ASI07": "Insecure inter-agent communication",
    "ASI08": "Cascading failures",
    "ASI09": "Human-agent trust exploitation",
    "ASI10": "Rogue agents",
}
"""OWASP Top 10 for Agentic Applications 2026."""


class Row(NamedTuple):
    """One detection as it is listed."""

    id: str
    title: str
    severity: str
    tags: tuple[str, ...]
    kind: str
    source: str


def list_detections(
    paths: Paths = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="How many there are for each category of OWASP and ATLAS.")
    ] = False,
    navigator: Annotated[
        bool, typer.Option("--navigator", help="Print a layer for MITRE's ATLAS Navigator, JSON.")
    ] = False,
    as_json: JsonOutput = False,
) -> None:
    """List all detections: rules and correlations of the files, and detectors in code.

    Example: praetor detect list --coverage
    """
    rows = rows_of(load_files(paths))
    if navigator:
        print_json(layer(rows))
        return
    if as_json:
        print_json({"detections": [row._asdict() for row in rows], "coverage": covered(rows)})
        return
    table = _coverage(rows) if coverage else _all(rows)
    Console(width=shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE).print(table)
    typer.echo(count(len(rows), "detection"))


def rows_of(loaded: Loaded) -> list[Row]:
    """All that may be found, by id."""
    rows = [_row(loaded.placed[rule.name]) for rule in loaded.detections]
    return sorted([*rows, *map(_coded, ABOUTS)])


def _row(placed: PlacedRule) -> Row:
    rule = placed.rule
    kind = f"correlation ({rule.kind})" if isinstance(rule, Correlation) else "rule"
    return Row(rule.name, rule.title, rule.level, finding_tags(rule.tags), kind, placed.source)


def _coded(about: About) -> Row:
    return Row(about.id, about.title, about.severity.name, about.tags, "code", "code")


def covered(rows: list[Row]) -> dict[str, int]:
    """How many detections there are for each category; those of OWASP that have none, too."""
    counts = Counter(tag for row in rows for tag in row.tags if tag.startswith(("ASI", "AML.")))
    return dict.fromkeys(OWASP, 0) | dict(sorted(counts.items()))


def layer(rows: list[Row]) -> dict[str, Any]:
    """A layer in ATT&CK Navigator's format 4.5, for ATLAS: a technique's score is how many speak of it."""
    counts = {tag: n for tag, n in covered(rows).items() if tag.startswith("AML.")}
    most = max(counts.values(), default=1)
    return {
        "name": "Praetor detections",
        "versions": {"layer": "4.5", "navigator": "5.1.0"},
        "domain": "atlas-atlas",
        "description": "Techniques that the detections speak of; the score is how many do.",
        "techniques": [
            {
                "techniqueID": tag,
                "score": number,
                "comment": ", ".join(row.id for row in rows if tag in row.tags),
                "enabled": True,
            }
            for tag, number in counts.items()
        ],
        "gradient": {"colors": ["#ffffff", "#2266aa"], "minValue": 0, "maxValue": most},
    }


def _all(rows: list[Row]) -> Table:
    table = Table("detection", "title", "severity", "tags", "kind", "file")
    for row in rows:
        texts = (row.id, row.title, row.severity, " ".join(row.tags), row.kind, row.source)
        table.add_row(*(Text(text) for text in texts))
    return table


def _coverage(rows: list[Row]) -> Table:
    table = Table("category", "", "detections", "")
    for tag, number in covered(rows).items():
        own = ", ".join(row.id for row in rows if tag in row.tags)
        table.add_row(tag, OWASP.get(tag, ""), str(number), Text(own))
    return table
