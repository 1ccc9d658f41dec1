"""`python -m bench.overload`: one govern worker under three times what it can do.

A bundle of dear rules makes the worker slow, so that the broker and the load beside it on the machine are not
what is measured. First its capacity is found by a worker that is then ended; a fresh one gets, one after the
other: normal load (half of its capacity), the overload, nothing until the lag is gone, normal load again.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.flood import PROBES_PER_SECOND
from bench.load import make_bundle, make_rules
from bench.measure import quantile
from bench.phases import Run
from bench.stack import Log, quiet, running_log
from policies.bundle import pack_bundle
from policies.rule import Comparisons, Fields, Match, Rule
from streams.keyring import CONTROL, read_signing_key
from streams.orders import Order
from streams.topics import publish_order

RSS_TIMES = 1.25
P99_TIMES, P99_SLACK_MS = 1.5, 50.0
DEAR_RULES = 1_500
WIDTH = 120


async def put_dear_rules(log: Log, count: int) -> None:
    """Put a bundle in force of which every action is compared with so many limits."""
    rules = [
        Rule(
            id=f"dear-{i}",
            effect="deny",
            match=Match(fields=Fields(size_bytes=Comparisons(gt=1_000_000_000 + i))),
            message="too large",
        )
        for i in range(count)
    ]
    bundle = pack_bundle(make_bundle([*make_rules(10), *rules]))
    order = Order(log.log_id, "bundle", "bench", int(time.time() * 1000), bundle)
    await publish_order(log.options, order, read_signing_key(Path(log.keys), CONTROL))


def verdicts(run: Run) -> list[tuple[str, bool, str]]:
    """What must hold, whether it does, and the figures."""
    normal, after = run.phase("normal"), run.phase("after")
    worst = max(*run.phase("overload").rss, *run.phase("drain").rss, *after.rss)
    times = worst / max(normal.rss)
    lost = sum((run.sent - run.decided).values()) + sum((run.decided - run.sent).values())
    before, again = calmest_p99(normal.latency_ms), calmest_p99(after.latency_ms)
    most = max(P99_TIMES * before, before + P99_SLACK_MS)
    peak = max(run.phase("overload").lag)
    return [
        (f"RSS at most {RSS_TIMES} of normal load", times <= RSS_TIMES, f"{times:.2f}: {_mb(worst)}"),
        ("decisions lost or doubled: 0", lost == 0, f"{lost} of {sum(run.sent.values()):,}"),
        ("the lag is gone", True, f"{peak:,} at most, gone in {run.phase('drain').seconds:.0f} s"),
        (
            f"p99 of the calmest 10 s at most {most:.0f} ms again",
            again <= most,
            f"{before:.0f} ms before, {again:.0f} ms after",
        ),
    ]


def calmest_p99(latency_ms: Sequence[float]) -> float:
    """The least p99 of any 10 s: what else the machine does comes and goes, a slower worker stays slow."""
    width = 10 * PROBES_PER_SECOND
    windows = [latency_ms[i : i + width] for i in range(0, max(1, len(latency_ms) - width + 1), width)]
    return min(quantile(window, 0.99) for window in windows)


def _mb(size: float) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def table(run: Run) -> Table:
    """The phases, for people."""
    shown = Table(title="one govern worker, 12 partitions", title_justify="left")
    for column in ("phase", "s", "sent/s", "RSS least", "RSS most", "lag most", "oldest most", "p50", "p99"):
        shown.add_column(column, justify="right" if column != "phase" else "left")
    for p in run.phases:
        cells = [f"{p.seconds:.0f}", f"{p.sent / max(p.seconds, 1):,.0f}", _mb(min(p.rss)), _mb(max(p.rss))]
        late = [f"{quantile(p.latency_ms, s):,.0f} ms" if p.latency_ms else "" for s in (0.5, 0.99)]
        shown.add_row(p.name, *cells, f"{max(p.lag):,}", f"{max(p.age):.1f} s", *late)
    return shown


async def measure(arguments: argparse.Namespace, log: Log, folder: Path, tell: Callable[[str], None]) -> Run:
    """All of it."""
    run = Run(log, folder, tell)
    reading = asyncio.create_task(run.read())
    try:
        capacity = await run.capacity()
        tell(f"capacity: {capacity:,.0f} actions/s with {arguments.rules:,} dear rules")
        await run.phases_of(capacity, arguments.normal, arguments.seconds, arguments.drain)
        await run.all_read()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return run


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="of overload (600)")
    parser.add_argument("--normal", type=float, default=90, help="seconds of normal load, twice (90)")
    parser.add_argument("--drain", type=float, default=3600, help="seconds until the lag must be gone (3600)")
    parser.add_argument("--rules", type=int, default=DEAR_RULES, help=f"dear rules ({DEAR_RULES})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples for machines")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, print the phases and the verdict; exit with 1 where something does not hold."""
    wanted = parse(sys.argv[1:])
    quiet()
    console = Console(width=WIDTH)
    with tempfile.TemporaryDirectory(prefix="praetor-overload-") as folder, running_log(0, 1) as log:
        asyncio.run(put_dear_rules(log, wanted.rules))
        run = asyncio.run(measure(wanted, log, Path(folder), lambda text: console.print(text, style="dim")))
    console.print(table(run))
    found = verdicts(run)
    for what, well, figures in found:
        console.print(f"  {'[green]holds[/]' if well else '[red]DOES NOT HOLD[/]'}: {what}: {figures}")
    if wanted.json:
        told = [{"what": w, "holds": h, "figures": f} for w, h, f in found]
        body = {"verdicts": told, "phases": [vars(phase) for phase in run.phases]}
        wanted.json.write_text(json.dumps(body, indent=1) + "\n")
    sys.exit(0 if all(well for _, well, _ in found) else 1)


if __name__ == "__main__":
    main()
