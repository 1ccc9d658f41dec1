"""`python -m tests.soak`: the whole stack under steady load, then a million hostile records.

SOAK_SECONDS of load (1800) at SOAK_RATE actions a second (800), SOAK_RECORDS hostile ones (1000000; 0: none).
Memory, open files, threads and coroutines of the workers and the supervisor must be flat over the second
half, and every action must be one decision in Kafka and in ClickHouse, in a ledger that verifies. Exit code 1
where something does not hold.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import clickhouse_connect
from rich.console import Console
from rich.table import Table

from bench.flood import Flood
from runtime.embedded.probe import ask
from runtime.settings import load_settings
from runtime.stack import Stack, read_stack
from tests.soak.watching import Growth, Watched

SECONDS = float(os.environ.get("SOAK_SECONDS", "1800"))
RATE = float(os.environ.get("SOAK_RATE", "800"))
RECORDS = int(os.environ.get("SOAK_RECORDS", "1000000"))
JUDGED_SECONDS = 300.0
EVERY_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
PARTITIONS = 12

console = Console(width=120)


def praetor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the stack."""
    argv = [sys.executable, "-P", "-m", "cli.main", *words, "--data", str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def watched(stack: Stack) -> list[Watched]:
    """The processes of the stack."""
    found = [Watched("supervisor", stack.supervisor.pid)]
    return found + [Watched(s.name, s.process.pid, s.health_port) for s in stack.services if s.process]


def judged(process: Watched) -> bool:
    """Whether its figures are ours to keep flat."""
    return process.name not in ("kafka", "clickhouse")


def under_load(stack: Stack, processes: list[Watched]) -> dict[int, int]:
    """Load for SOAK_SECONDS while sampling; what each partition has acknowledged."""
    flood = Flood(stack.bootstrap, PARTITIONS, RATE, SECONDS, "probe")
    argv = [sys.executable, "-P", "-m", "bench.flood", flood.to_json()]
    sending = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    begun = time.monotonic()
    while sending.poll() is None:
        for process in processes:
            process.sample(time.monotonic() - begun)
        time.sleep(EVERY_SECONDS)
    output, _ = sending.communicate()
    return {int(p): n for p, n in json.loads(output)["sent"].items()}


def drained(stack: Stack) -> bool:
    """Wait until no worker is behind."""
    ports = [s.health_port for s in stack.services if s.health_port]
    deadline = time.monotonic() + PATIENCE_SECONDS
    still = 0
    while still < 3 and time.monotonic() < deadline:
        checks = [ask(port, "/readyz")[1].get("checks", {}) for port in ports]
        still = still + 1 if all(c.get("lag", {}).get("records") == 0 for c in checks) else 0
        time.sleep(1)
    return still >= 3


def lost(folder: Path, sent: dict[int, int]) -> list[str]:
    """What is missing or double in ClickHouse, and what the verifier of the ledger says against it."""
    settings = load_settings(folder)
    client = clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
    )
    rows = client.query(
        "SELECT partition, count(), uniqExact(source_offset), max(seq) + 1 FROM decisions GROUP BY partition"
    ).result_rows
    client.close()
    found = {p: counts for p, *counts in rows}
    wrong = [
        f"partition {p}: {n} sent; rows, different offsets and last number + 1 are {found.get(p)}"
        for p, n in sent.items()
        if found.get(p) != [n, n, n]
    ]
    verified = praetor(folder, "ledger", "verify")
    if verified.returncode:
        wrong.append(f"ledger verify: {verified.stdout[-500:]}{verified.stderr[-500:]}")
    return wrong


def not_json(folder: Path) -> list[str]:
    """Lines of the workers' logs that are no JSON objects."""
    lines = [
        (log.name, line)
        for log in (folder / "logs").glob("*.log")
        if log.stem.startswith(("govern", "archive"))
        for line in log.read_text().splitlines()
    ]
    return [f"{name}: {line[:200]}" for name, line in lines if not line.startswith('{"')]


def restarts(stack: Stack) -> list[str]:
    """Processes that did not live through it."""
    return [f"{s.name}: {s.restarts} restarts: {s.detail}" for s in stack.services if s.restarts]


def shown(growths: list[Growth], processes: list[Watched]) -> Table:
    """The figures, for people."""
    table = Table(title=f"{SECONDS:.0f} s at {RATE:.0f} actions/s: the second half", title_justify="left")
    for column in ("process", "figure", "from", "to", "most", ""):
        table.add_column(column, justify="left" if column in ("process", "figure", "") else "right")
    ours = {process.name for process in processes if judged(process)}
    for g in growths:
        cells = [_figure(g.figure, value) for value in (g.first, g.last, g.most)]
        verdict = "" if g.process not in ours else "flat" if g.flat else "GROWS"
        table.add_row(g.process, g.figure, *cells, verdict)
    return table


def _figure(name: str, value: float) -> str:
    return f"{value / (1 << 20):.1f} MiB" if name == "rss" else f"{value:.1f}"


def soak(folder: Path) -> dict[str, Any]:
    """Everything; the findings under `wrong`."""
    up = praetor(folder, "up", "-d")
    stack = read_stack(folder)
    if up.returncode or stack is None:
        sys.exit(f"the stack does not start: {up.stdout}{up.stderr}")
    try:
        processes = watched(stack)
        sent = under_load(stack, processes)
        wrong = [] if drained(stack) else [f"not drained within {PATIENCE_SECONDS:.0f} s"]
        wrong += lost(folder, sent) + not_json(folder) + restarts(read_stack(folder) or stack)
    finally:
        praetor(folder, "down")
    growths = [growth for process in processes for growth in process.verdicts()]
    console.print(shown(growths, processes))
    if SECONDS >= JUDGED_SECONDS:
        ours = {process.name for process in processes if judged(process)}
        wrong += [f"{g.process}: {g.figure} grows" for g in growths if g.process in ours and not g.flat]
    else:
        console.print(f"too short to say what is flat (from {JUDGED_SECONDS:.0f} s on)")
    console.print(f"{sum(sent.values()):,} actions sent, all decided and archived" if not wrong else "")
    return {
        "seconds": SECONDS,
        "sent": sum(sent.values()),
        "wrong": wrong,
        "growth": [vars(g) | {"flat": g.flat} for g in growths],
        "samples": {p.name: {"at": p.at, **p.samples} for p in processes},
    }


def main() -> None:
    """Run it; figures for machines go to SOAK_JSON, if that is set."""
    with tempfile.TemporaryDirectory(prefix="praetor-soak-") as folder:
        found = soak(Path(folder) / "stack")
    if RECORDS:
        console.print(f"{RECORDS:,} hostile records")
        argv = [sys.executable, "-m", "tests.hostile.soak", "--records", str(RECORDS)]
        if code := subprocess.run(argv, check=False).returncode:
            found["wrong"].append(f"the hostile records end with {code}; see above")
    if target := os.environ.get("SOAK_JSON"):
        Path(target).write_text(json.dumps(found, indent=1) + "\n")
    for what in found["wrong"]:
        console.print(f"[red]wrong[/]: {what}", highlight=False)
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
