"""The archive, from Kafka into ClickHouse, against ClickHouse's own insert of the same rows as one file."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series, Target
from bench.stack import Job, Log, outputs, run_job, running_log
from runtime.embedded.services import ClickHouse

ARCHIVE, INSERT = "praetor archive", "ClickHouse's insert of one Avro file"
PREFIX = "archived-"


def run(plan: Plan) -> Series:
    """Decisions are made once by govern; each round brings all of them into a new database."""
    actions = plan.actions
    plan.tell(f"filling a log with {actions:,} actions, and judging them")
    with tempfile.TemporaryDirectory(prefix="praetor-bench-") as folder:
        file = Path(folder) / "decisions.avro"
        with running_log(actions, 100) as log, ClickHouse(Path(folder) / "clickhouse") as server:
            with outputs(log, PREFIX):
                run_job(Job("govern", log, PREFIX, {"rules": 10, "transactions": True}))
                run_job(Job("dump", log, PREFIX, {"file": str(file)}))
                where = {"url": server.url, "file": str(file), "rows": actions}
                found = alternate(
                    plan, {ARCHIVE: _job(log, "archive", where), INSERT: _job(log, "insert", where)}
                )
        size = file.stat().st_size
    return _series(plan, found, actions, size)


def _job(log: Log, kind: str, where: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    def bring(number: int) -> dict[str, Any]:
        return run_job(Job(kind, log, PREFIX, where | {"database": f"{kind}_{number}"}))

    return bring


def _series(plan: Plan, found: dict[str, list[dict[str, Any]]], rows: int, size: int) -> Series:
    rates = {name: [r["rate"] for r in rounds] for name, rounds in found.items()}
    series = Series(
        "archive",
        f"archive: {rows:,} decisions of {size / rows:,.0f} bytes from Kafka into ClickHouse",
        ("", "rows/s", "µs of CPU a row (of the process that sends)", "of ClickHouse's own"),
        raw={"rounds": found},
    )
    for name, rounds in found.items():
        cpu = spread([r["cpu_us"] for r in rounds])
        series.rows.append(
            (name, spread(rates[name]).text(0), cpu.text(1), ratios(rates[name], rates[INSERT]).text())
        )
    series.targets = [
        Target("rows/s of the archive ÷ ClickHouse's own", ratios(rates[ARCHIVE], rates[INSERT]), 0.6)
    ]
    series.notes = [
        "Both into the migrated tables, the leaves' materialized view included, on the embedded engine; the"
        " archive with its intents and default pace, all partitions taken over before the clock starts.",
    ]
    return series
