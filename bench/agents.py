"""What an action costs as agents grow in number, what an agent holds, how a take-over goes."""

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series, Target
from bench.stack import Job, Log, outputs, run_job, running_log

COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)
ACTIONS = 100_000
DETECTING = ", all shipped detections"

Found = dict[str, list[dict[str, Any]]]


def run(plan: Plan) -> Series:
    """Judge in memory with more and more agents; then govern whole with the fewest and the most."""
    counts = COUNTS[:3] if plan.quick else COUNTS
    actions = 10_000 if plan.quick else ACTIONS
    kinds = [(n, detecting) for detecting in (False, True) for n in counts]
    memory = {_name(*kind): _in_memory(*kind, actions) for kind in kinds}
    judged = alternate(plan, memory, warm_up=False)
    with ExitStack() as logs:
        whole: dict[str, Callable[[int], Any]] = {}
        for n in (counts[0], counts[-1]):
            plan.tell(f"filling a log with {plan.actions:,} actions by {n:,} agents")
            log = logs.enter_context(running_log(plan.actions, n))
            for detecting in (False, True):
                whole[_name(n, detecting)] = _whole(log, n, detecting)
        drained = alternate(plan, whole)
    return _series(judged, drained, counts[0], counts[-1])


def _name(agents: int, detecting: bool = False) -> str:
    return f"{agents:,} agents{DETECTING if detecting else ''}"


def _in_memory(agents: int, detecting: bool, actions: int) -> Callable[[int], dict[str, Any]]:
    settings = {"agents": agents, "actions": actions, "detecting": detecting}
    return lambda number: run_job(Job("agents", settings=settings))


def _whole(log: Log, agents: int, detecting: bool) -> Callable[[int], dict[str, Any]]:
    settings = {"rules": 10, "transactions": True, "detecting": detecting}

    def drain(number: int) -> dict[str, Any]:
        with outputs(log, f"d{int(detecting)}-r{number}-") as prefix:
            run_job(Job("remember", log, prefix, {"agents": agents}))
            return run_job(Job("govern", log, prefix, settings))

    return drain


def _series(judged: Found, drained: Found, few: int, many: int) -> Series:
    series = Series(
        "agents",
        "cost as agents grow in number",
        (
            "agents",
            "judging, µs of CPU an action",
            "changed cells a batch of 5,000",
            "bytes an idle agent",
            "bytes of cells of one that acts",
        ),
        raw={"judged": judged, "drained": drained},
    )
    for name, rounds in judged.items():
        cells = statistics.median(r["cells"] for r in rounds)
        idle, acting = (_of(rounds, key).text(0) for key in ("bytes_an_agent", "acting_bytes"))
        series.rows.append((name, _of(rounds, "cpu_us").text(1), f"{cells:,.0f}", idle, acting))
    for name, rounds in drained.items():
        cells = statistics.median(r["cells"] / r["transactions"] for r in rounds)
        cost = _of(rounds, "cpu_us").text(1)
        series.rows.append((f"govern whole, {name}", cost, f"{cells:,.0f} a transaction", "", ""))
        series.notes.append(_told(name, rounds))
    series.targets = _targets(judged, drained, few, many)
    return series


def _told(name: str, rounds: list[dict[str, Any]]) -> str:
    start = _of(rounds, "start_seconds").text(1)
    return (
        f"govern whole, {name}: {_of(rounds, 'rate').text(0)} actions/s; a worker that starts has all 12"
        f" partitions taken over after {start} s, and then holds"
        f" {_of(rounds, 'start_bytes', 1e-6).text(0)} MB more."
    )


def _of(rounds: list[dict[str, Any]], what: str, factor: float = 1.0) -> Any:
    return spread([r[what] * factor for r in rounds])


def _targets(judged: Found, drained: Found, few: int, many: int) -> list[Target]:
    least, most = drained[_name(few)], drained[_name(many)]
    taken = [(m["start_bytes"] - f["start_bytes"]) / many for m, f in zip(most, least, strict=True)]
    grown = {
        detecting: ratios(
            [r["cpu_us"] for r in drained[_name(many, detecting)]],
            [r["cpu_us"] for r in drained[_name(few, detecting)]],
        )
        for detecting in (False, True)
    }
    acting = _of(judged[_name(many, True)], "acting_most")
    return [
        Target(f"govern's CPU an action with {many:,} agents ÷ with {few:,}", grown[False], most=1.5),
        Target("the same, all shipped detections on", grown[True], most=1.5),
        Target(
            "an idle agent in a partition's memory",
            _of(judged[_name(many)], "bytes_an_agent"),
            most=1024,
            unit=" B",
        ),
        Target("the cells of any agent that acts, all shipped detections on", acting, most=8192, unit=" B"),
        Target(
            "an idle agent after a take-over, all that the worker holds", spread(taken), most=1024, unit=" B"
        ),
    ]
