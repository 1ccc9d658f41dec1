"""What an action costs as agents grow in number, what an idle agent holds, how a take-over goes."""

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series, Target
from bench.stack import Job, Log, outputs, run_job, running_log

COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)
ACTIONS = 100_000


def run(plan: Plan) -> Series:
    """Judge in memory with more and more agents; then govern whole with the fewest and the most."""
    counts = COUNTS[:3] if plan.quick else COUNTS
    actions = 10_000 if plan.quick else ACTIONS
    memory = {_name(n): _in_memory(n, actions) for n in counts}
    judged = alternate(plan, memory, warm_up=False)
    few, many = counts[0], counts[-1]
    with ExitStack() as logs:
        whole: dict[str, Callable[[int], Any]] = {}
        for n in (few, many):
            plan.tell(f"filling a log with {plan.actions:,} actions by {n:,} agents")
            whole[_name(n)] = _whole(logs.enter_context(running_log(plan.actions, n)), n)
        drained = alternate(plan, whole)
    return _series(judged, drained, _name(few), _name(many))


def _name(agents: int) -> str:
    return f"{agents:,} agents"


def _in_memory(agents: int, actions: int) -> Callable[[int], dict[str, Any]]:
    return lambda number: run_job(Job("agents", settings={"agents": agents, "actions": actions}))


def _whole(log: Log, agents: int) -> Callable[[int], dict[str, Any]]:
    def drain(number: int) -> dict[str, Any]:
        with outputs(log, f"r{number}-") as prefix:
            run_job(Job("remember", log, prefix, {"agents": agents}))
            return run_job(Job("govern", log, prefix, {"rules": 10, "transactions": True}))

    return drain


def _series(
    judged: dict[str, list[dict[str, Any]]], drained: dict[str, list[dict[str, Any]]], few: str, many: str
) -> Series:
    series = Series(
        "agents",
        "cost as agents grow in number",
        ("agents", "judging, µs of CPU an action", "changed cells a batch of 5,000", "bytes an idle agent"),
        raw={"judged": judged, "drained": drained},
    )
    for name, rounds in judged.items():
        cells = statistics.median(r["cells"] for r in rounds)
        bytes_each = spread([r["bytes_an_agent"] for r in rounds]).text(0)
        series.rows.append((name, _of(rounds, "cpu_us").text(1), f"{cells:,.0f}", bytes_each))
    for name, rounds in drained.items():
        cells = statistics.median(r["cells"] / r["transactions"] for r in rounds)
        cost = _of(rounds, "cpu_us").text(1)
        series.rows.append((f"govern whole, {name}", cost, f"{cells:,.0f} a transaction", ""))
        start = _of(rounds, "start_seconds").text(1)
        series.notes.append(
            f"govern whole, {name}: {_of(rounds, 'rate').text(0)} actions/s; a worker that starts has all 12"
            f" partitions taken over after {start} s, and then holds"
            f" {_of(rounds, 'start_bytes', 1e-6).text(0)} MB more."
        )
    series.targets = _targets(judged[many], drained[few], drained[many])
    return series


def _of(rounds: list[dict[str, Any]], what: str, factor: float = 1.0) -> Any:
    return spread([r[what] * factor for r in rounds])


def _targets(
    idle: list[dict[str, Any]], few: list[dict[str, Any]], many: list[dict[str, Any]]
) -> list[Target]:
    cpu = ratios([r["cpu_us"] for r in many], [r["cpu_us"] for r in few])
    agents = [r["agents"] for r in many]
    taken = [(m["start_bytes"] - f["start_bytes"]) / n for m, f, n in zip(many, few, agents, strict=True)]
    return [
        Target(f"govern's CPU an action with {agents[0]:,} agents ÷ with 100", cpu, most=1.5),
        Target("an idle agent in a partition's memory", _of(idle, "bytes_an_agent"), most=1024, unit=" B"),
        Target(
            "an idle agent after a take-over, all that the worker holds", spread(taken), most=1024, unit=" B"
        ),
    ]
