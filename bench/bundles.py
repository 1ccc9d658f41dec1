"""Ten thousand rules from a bundle and from YAML, and what a swap does to the batches beside it."""

import time
from collections.abc import Callable
from typing import Any

import yaml

from bench.load import make_bundle
from bench.measure import Plan, alternate, quantile, spread
from bench.report import Series, Target
from bench.rulesets import half_said
from bench.stack import Job, run_job
from judgement.rules import compile_rules
from policies.bundle import load_bundle
from policies.load import load_policies
from policies.rule import Rule

BUNDLE, YAML = "from a bundle: read, validate, compile", "from YAML: read, check, build, compile"
AGENTS = 1_000_000
SIZES = {100: "100", 0: "as many as govern takes"}
"""Actions in a batch: few, to see how long the loop stands still; then as many as 50 ms of CPU judge."""


def run(plan: Plan) -> Series:
    """Compile in turns; then swap beside a loop that judges, in a process of its own."""
    rules = half_said(1_000 if plan.quick else 10_000)
    bundle = make_bundle(rules)
    written = _written(rules)

    def from_bundle(number: int) -> float:
        return _seconds(lambda: compile_rules(load_bundle(bundle.json)))

    def from_yaml(number: int) -> float:
        return _seconds(lambda: compile_rules(load_policies([("bench.yaml", written)]).bundle()))

    found = alternate(plan, {BUNDLE: from_bundle, YAML: from_yaml})
    settings = {"agents": 1_000 if plan.quick else AGENTS, "rules": len(rules), "sizes": list(SIZES)}
    swaps = alternate(plan, {"swap": lambda number: run_job(Job("swap", settings=settings))}, warm_up=False)
    return _series(len(rules), found, swaps["swap"])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _written(rules: list[Rule]) -> bytes:
    cases = [
        {"name": effect, "action": {"action": action}, "expect": effect}
        for effect, action in (("allow", "read:file"), ("deny", "exec:shell"))
    ]
    policy = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "bench", "description": "what is measured"},
        "rules": [rule.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for rule in rules],
        "cases": cases,
    }
    return yaml.dump(policy, Dumper=yaml.CSafeDumper).encode()


def _series(rules: int, found: dict[str, list[float]], swaps: list[dict[str, Any]]) -> Series:
    series = Series(
        "bundles",
        f"{rules:,} rules: made ready, and swapped beside a loop that judges",
        ("what", "found"),
        raw={"seconds": found, "swaps": swaps},
    )
    series.rows = [(f"{name}, seconds", spread(costs).text()) for name, costs in found.items()]
    for size, told in SIZES.items():
        rounds = [swap[str(size)] for swap in swaps]
        for part in ("alone", "swapping"):
            name = f"batches of {told}, {part}"
            series.rows.append(
                (f"{name}, median ms", spread([quantile(r[part], 0.5) for r in rounds]).text())
            )
            series.rows.append((f"{name}, longest ms", spread([max(r[part]) for r in rounds]).text()))
        took = spread([r["seconds"] for r in rounds]).text()
        series.rows.append((f"batches of {told}: the swap, seconds", took))
    series.targets = [
        Target(f"{rules:,} rules from a bundle", spread(found[BUNDLE]), most=5, unit=" s"),
        Target(f"{rules:,} rules from YAML", spread(found[YAML]), most=15, unit=" s"),
        *(_stall(size, [swap[str(size)] for swap in swaps]) for size in SIZES),
    ]
    series.notes = [
        "A tenth of the rules has a condition in CEL, each one of its own.",
        "The swap: orders of agent.control are folded, their bundle verified and compiled in a thread while a"
        f" partition that remembers {AGENTS:,} agents judges batch after batch without a pause (with --quick"
        " 1,000). `alone` is the same loop without a swap.",
    ]
    return series


def _stall(size: int, rounds: list[dict[str, Any]]) -> Target:
    found = spread([max(r["swapping"]) - quantile(r["alone"], 0.5) for r in rounds])
    return Target(
        f"longest batch of {SIZES[size]} beside a swap, beyond the usual", found, most=50, unit=" ms"
    )
