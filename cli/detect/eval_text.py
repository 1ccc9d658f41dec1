"""How `praetor detect eval` is told to people."""

import shutil
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

WIDE = 200
COLUMNS = ("risk", "attacks", "recall", "95%", "benign", "false positives", "95%", "authorised", "resisted")


def tell(told: Mapping[str, Any]) -> None:
    """Print the tables."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    console = Console(width=width)
    rates = Table("suite", *COLUMNS, title="Blocked")
    for row in told["all"]:
        rates.add_row("all", *_cells(row))
    for suite, rows in told["suites"].items():
        for row in rows:
            rates.add_row(suite, *_cells(row))
    console.print(rates)
    findings = Table(
        "finding", "attacks", "only it", "benign", "authorised", title="Traces with a finding in time"
    )
    for kind, row in told["findings"].items():
        findings.add_row(kind, *(str(row[k]) for k in ("attacks", "alone", "benign", "authorised")))
    console.print(findings)
    costs = Table("detector in code", "µs an action", title="Cost")
    for name, spent in told["microseconds"].items():
        costs.add_row(name, f"{spent:.1f}")
    console.print(costs)


def _cells(row: Mapping[str, Any]) -> list[str]:
    traces = row["traces"]
    return [
        f"{row['threshold']:.2f}",
        str(traces["attack_acted"]),
        _share(row["recall"]),
        _between(row["recall_95"]),
        str(traces["benign"]),
        _share(row["fpr"]),
        _between(row["fpr_95"]),
        _share(row["authorised"]),
        _share(row["resisted"]),
    ]


def _share(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _between(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"
