"""What one decision costs as rules grow in number: with conditions in CEL, without, with paths and hosts."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.load import make_bundle
from bench.measure import Plan, alternate, quantile, ratios, spread
from bench.report import Series, Target
from bench.rulesets import half_said, host_rules, meeting, path_rules, read, with_reached
from judgement.rules import compile_rules
from policies.index import Index
from policies.rule import Rule
from schemas.action import Action

COUNTS = (10, 100, 1_000, 10_000)
REACHED = (0, 1, 2, 5)
MOST_NONE, MOST_REACHED, MOST_GROWTH = 5.0, 12.0, 1.5

Run = Callable[[int], list[float]]


def run(plan: Plan) -> Series:
    """Decide on actions that meet the rules, in turns."""
    actions = 1_000 if plan.quick else 20_000
    systems: dict[str, Run] = {}
    for count in COUNTS[:3] if plan.quick else COUNTS:
        systems |= _both(f"{count:,} rules", half_said(count), actions)
    most = 1_000 if plan.quick else 10_000
    owned = half_said(most, per_agent=most // 10)
    systems |= _both(f"{most:,} rules, 10 agents own them", owned, actions)
    systems |= _both(f"{most:,} rules, each resource a new one", half_said(most), actions, fresh=True)
    for reached in REACHED:
        rules = with_reached(most, reached)
        name = f"{most:,} rules, {reached} conditions reached"
        systems[name] = _deciding(_compiled(rules), rules[: most - reached - 2], actions)
    for name, make in (("paths", path_rules), ("hosts", host_rules)):
        for count in (most // 100, most):
            rules = make(count)
            index = _compiled(rules)
            systems[f"{count:,} rules with {name}"] = _deciding(index, rules, actions)
            fresh = _deciding(_compiled(rules), rules, actions, fresh=True)  # else its memos, too, were new
            systems[f"{count:,} rules with {name}, each resource a new one"] = fresh
    return _series(alternate(plan, systems), most)


def _compiled(rules: Sequence[Rule]) -> Index:
    return compile_rules(make_bundle(rules)).index


def _both(name: str, rules: Sequence[Rule], actions: int, fresh: bool = False) -> dict[str, Run]:
    index = _compiled(rules)
    met = rules[:-2]  # the last two are for all agents
    return {
        f"{name}: no condition": _deciding(index, [r for r in met if r.when is None], actions, fresh),
        f"{name}: a condition": _deciding(index, [r for r in met if r.when is not None], actions, fresh),
    }


def _deciding(index: Index, met: Sequence[Rule], count: int, fresh: bool = False) -> Run:
    kept = [] if fresh else meeting(met, count, seed=1)

    def run_once(number: int) -> list[float]:
        # new objects each time: an action remembers what was asked of it
        return time_each(index.decide, read(kept or meeting(met, count, number, fresh=True)))

    return run_once


def time_each(run: Callable[[Action], object], actions: Sequence[Action]) -> list[float]:
    """Microseconds of each call, what the clock itself takes left out."""
    clock = time.perf_counter_ns
    costs: list[float] = []
    for action in actions:
        started = clock()
        run(action)
        costs.append(clock() - started)
    alone: list[float] = []
    for _ in actions:
        started = clock()
        alone.append(clock() - started)
    least = quantile(alone, 0.5)
    return [max(cost - least, 0) / 1000 for cost in costs]


def _series(found: dict[str, list[list[float]]], most: int) -> Series:
    p50, p99 = ({n: [quantile(c, q) for c in rounds] for n, rounds in found.items()} for q in (0.5, 0.99))
    series = Series(
        "policies",
        "one decision: µs of each, not of batches",
        ("rules", "p50", "p99"),
        raw={"p50": p50, "p99": p99},
        rows=[(name, spread(p50[name]).text(), spread(p99[name]).text()) for name in found],
        targets=_targets(p50, most),
    )
    series.notes = [
        "Only Index.decide: no detections, cells, decoding or writing. A tenth of the rules has a condition"
        " of its own, of cost and one argument; 'a condition' and 'no condition': whether actions reach one.",
        "Actions are decoded anew for each round, so that fields are read and arguments parsed; the rules'"
        " memos are warm, but where each resource is a new one.",
        "Actions go to 10,000 resources under every rule set, so that only the rules grow in number.",
        "An action meets its own rule, those for all agents, and with `reached` as many with a condition.",
    ]
    return series


def _targets(p50: dict[str, list[float]], most: int) -> list[Target]:
    targets: list[Any] = []
    for told, bound in (("no condition", MOST_NONE), ("a condition", MOST_REACHED)):
        few = p50[f"100 rules: {told}"]
        for name in (
            f"{most:,} rules",
            f"{most:,} rules, 10 agents own them",
            f"{most:,} rules, each resource a new one",
        ):
            costs = p50[f"{name}: {told}"]
            targets.append(Target(f"p50 at {name}: {told}", spread(costs), most=bound, unit=" µs"))
            if "new one" not in name:
                growth = ratios(costs, few)
                targets.append(Target(f"p50 at {name} ÷ at 100: {told}", growth, most=MOST_GROWTH))
    for name in ("paths", "hosts"):
        few_new, new = (p50[f"{n:,} rules with {name}, each resource a new one"] for n in (most // 100, most))
        told = f"p50 at {most:,} rules with {name} ÷ at {most // 100:,}, each resource a new one"
        targets.append(Target(told, ratios(new, few_new), most=MOST_GROWTH))
    return targets
