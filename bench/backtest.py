"""`praetor policy backtest` with two workers against govern with one, in turns over the same actions."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench.load import make_bundle, make_rules
from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series, Target
from bench.stack import Job, Log, outputs, run_job, running_log
from cli.backtest.asked import Asked, Store, make_ready
from cli.backtest.files import FileFormat
from cli.backtest.report import Run, report_of
from cli.backtest.running import Workers
from policies.rule import Match, Rule
from runtime.embedded.services import ClickHouse
from runtime.settings import Settings

PREFIX = "stored-"
DATABASE = "backtest"
AGENTS, RULES, WORKERS = 1_000, 10, 2
LIVE = "govern, one worker"
STORES = {f"backtest from {store.value}, {WORKERS} workers": store for store in Store}
VERIFIED = f"backtest from {Store.clickhouse.value} with --verify"


def run(plan: Plan) -> Series:
    """One log is judged and archived once; each round judges it again, live and in backtests."""
    plan.tell(f"filling a log with {plan.actions:,} actions, judging and archiving them")
    with tempfile.TemporaryDirectory(prefix="praetor-bench-") as folder:
        with (
            running_log(plan.actions, AGENTS, RULES) as log,
            ClickHouse(Path(folder) / "clickhouse") as server,
        ):
            with outputs(log, PREFIX):
                run_job(Job("govern", log, PREFIX, {"rules": RULES, "transactions": True}))
                where = {"url": server.url, "database": DATABASE, "rows": plan.actions, "keep": True}
                run_job(Job("archive", log, PREFIX, where))
                candidate = Path(folder) / "candidate.json"
                candidate.write_bytes(_candidate())
                systems = {LIVE: _live(log)}
                for name, store in STORES.items():
                    systems[name] = _tried(log, where | _asked(candidate, store.value))
                systems[VERIFIED] = _tried(log, where | _asked(candidate, Store.clickhouse.value, True))
                found = alternate(plan, systems)
    return _series(plan, found)


def _candidate() -> bytes:
    """The live rules, and one more that denies a tenth."""
    rule = Rule(id="new", effect="deny", match=Match(resources=["*/file-1*"]), message="not these")
    return make_bundle([*make_rules(RULES), rule]).json


def _asked(candidate: Path, store: str, verify: bool = False) -> dict[str, Any]:
    return {"candidate": str(candidate), "store": store, "verify": verify}


def _live(log: Log) -> Callable[[int], dict[str, Any]]:
    def drain(number: int) -> dict[str, Any]:
        prefix = f"live-{number}-"
        with outputs(log, prefix):
            return run_job(Job("govern", log, prefix, {"rules": RULES, "transactions": True}))

    return drain


def _tried(log: Log, settings: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    return lambda number: run_job(Job("backtest", log, PREFIX, settings))


async def try_candidate(job: Job) -> dict[str, Any]:
    """What the command does, from the reading of agent.control to the report: starts of workers are in it."""
    return await asyncio.to_thread(_try, job)


def _try(job: Job) -> dict[str, Any]:
    given = job.settings
    settings = Settings(
        bootstrap=job.log.bootstrap,
        clickhouse_url=given["url"],
        clickhouse_database=given["database"],
        keys_dir=Path(job.log.keys),
        topic_prefix=job.prefix,
    )
    store, workers = Store(given["store"]), given.get("workers", WORKERS)
    asked = Asked(
        given["candidate"], "active", "", FileFormat.actions, store, "1d", "", "", "", given["verify"]
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Workers(workers) as pool, Progress(disable=True) as bars:
        ready = make_ready(asked, settings, Path(folder), bars)
        started = time.monotonic()
        tally = pool.run(ready.job, ready.chunks, lambda count: None)
        seconds = time.monotonic() - started
    report = report_of(Run(ready.old, ready.new, ready.source, workers, seconds), tally, [])
    actions = report["actions"]
    return {
        "actions": actions,
        "seconds": seconds,
        "whole_seconds": time.monotonic() - began,
        "rate": actions / seconds,
        "changed": report["changed"],
        "verified": report["verified"],
    }


def _series(plan: Plan, found: dict[str, list[dict[str, Any]]]) -> Series:
    rates = {name: [r["rate"] for r in rounds] for name, rounds in found.items()}
    series = Series(
        "backtest",
        f"backtest: {plan.actions:,} stored actions of {AGENTS:,} agents judged again by two bundles",
        ("", "actions/s", "÷ govern's"),
        raw={"rounds": found},
    )
    for name in found:
        series.rows.append((name, spread(rates[name]).text(0), ratios(rates[name], rates[LIVE]).text()))
    equal = [
        100 * r["verified"].get("equal", 0) / max(1, r["verified"]["decisions"]) for r in found[VERIFIED]
    ]
    best = [max(pair) for pair in zip(*(rates[name] for name in STORES), strict=True)]
    series.targets = [
        Target("rate of a backtest from the faster store ÷ govern's", ratios(best, rates[LIVE]), 1.5),
        Target(
            "rate of a backtest from ClickHouse ÷ govern's",
            ratios(rates[next(iter(STORES))], rates[LIVE]),
            1.5,
        ),
        Target("recorded decisions judged equal by the live bundle", spread(equal), 100, unit=" %"),
    ]
    whole = spread([r["whole_seconds"] for r in found[next(iter(STORES))]])
    series.notes = [
        "govern: from the release of all partitions to the last commit. A backtest: from the end of its"
        " planning to the last tally, what is left of its workers' starts in it; the whole command from"
        f" ClickHouse takes {whole.text(1)} s. Each action is judged twice, with --verify also compared with"
        " what is recorded.",
        f"Both by {RULES} rules, the candidate by one more. ClickHouse and Kafka run on the same machine.",
    ]
    return series
