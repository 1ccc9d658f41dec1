"""From a producer's send to a committed decision in a reader's hands, at a steady small rate."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Plan, quantile, spread
from bench.report import Series, Target
from bench.stack import Job, Log, run_job, running_log
from runtime.embedded.process import end, spawn

RATE = 200
ROUND_SECONDS = 20
QUICK_SECONDS = 10
SHARES = (0.5, 0.99, 0.999)


def run(plan: Plan) -> Series:
    """The real command judges; producer and reader are processes of their own."""
    seconds = QUICK_SECONDS if plan.quick else ROUND_SECONDS * max(plan.rounds, 3)
    plan.tell(f"{RATE} actions/s for {seconds} s")
    with running_log(0, 1) as log, tempfile.TemporaryDirectory(prefix="praetor-bench-") as folder:
        words = Path(folder) / "govern.log"
        environment = {"PRAETOR_BOOTSTRAP": log.bootstrap, "PRAETOR_KEYS_DIR": log.keys}
        govern = spawn(
            [sys.executable, "-c", "from cli.main import main; main()", "govern"], words, environment
        )
        try:
            samples = _measure(log, seconds)
        finally:
            end(govern, 20)
    return _series(plan, samples)


def _measure(log: Log, seconds: int) -> list[tuple[float, float]]:
    settings = {"rate": RATE, "seconds": seconds}
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(run_job, Job("read", log, "", settings))
        run_job(Job("produce", log, "", settings))
        return [(at, ms) for at, ms in reading.result()["samples"]]


def _series(plan: Plan, samples: list[tuple[float, float]]) -> Series:
    first, last = min(at for at, _ in samples), max(at for at, _ in samples)
    width = (last - first) / plan.rounds
    windows: list[list[float]] = [[] for _ in range(plan.rounds)]
    for at, ms in samples:
        windows[min(int((at - first) / width), plan.rounds - 1)].append(ms)
    found = {share: spread([quantile(window, share) for window in windows]) for share in SHARES}
    series = Series(
        "latency",
        f"producer to committed decision: {RATE} actions/s, 12 partitions, {last - first:.0f} s",
        ("", "ms: median of windows (least to most)", "ms, all together"),
        raw={"windows": windows},
    )
    everything = [ms for _, ms in samples]
    for share, value in found.items():
        series.rows.append((f"p{share * 100:g}", value.text(1), f"{quantile(everything, share):,.1f}"))
    series.rows.append(("largest", "", f"{max(everything):,.1f}"))
    series.targets = [
        Target("p50", found[0.5], most=10, unit=" ms"),
        Target("p99", found[0.99], most=50, unit=" ms"),
    ]
    series.notes = [
        "`praetor govern` as it is, 10 rules, 100 agents; arrivals are random (exponential gaps); from the"
        " producer's send() to the reader's getmany (read_committed)."
        f" {len(samples):,} actions, all answered.",
    ]
    return series
