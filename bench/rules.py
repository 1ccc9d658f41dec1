"""What judging one action costs as rules grow in number, and how a linear evaluator fares beside."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from bench.load import make_actions, make_bundle, make_rules
from bench.measure import Plan, alternate, quantile, ratios, spread, time_batches
from bench.memory import START_MS
from bench.report import Series, Target
from judgement.facts import read_facts
from judgement.judge import judge
from judgement.rules import Rules, compile_rules
from policies.bundle import Bundle
from policies.linear import Past, decide
from policies.signals import QUIET
from schemas.action import Action, read_action

BATCH = 100
COUNTS = (10, 100, 1_000, 10_000)
LINEAR_ACTIONS = 200


def run(plan: Plan) -> Series:
    """Judge the same actions under more and more rules, in turns."""
    size = 2_000 if plan.quick else 40_000
    fleet, fresh = _read(size), _read(size, fresh=True)
    scattered = _read(size, own=0.0)
    ten = _read(size, agents=10)
    bundles = {count: make_bundle(make_rules(count)) for count in COUNTS}
    rules = {count: compile_rules(bundle) for count, bundle in bundles.items()}
    owned = compile_rules(make_bundle(make_rules(10_000, per_agent=1_000)))
    systems: dict[str, Callable[[int], Any]] = {
        f"{count:,} rules": _judging(rules[count], fleet) for count in COUNTS
    }
    systems |= {
        "10,000 rules: 10 agents own 1,000 each": _judging(owned, ten),
        "10 rules, agents all over": _judging(rules[10], scattered),
        "10,000 rules, agents all over": _judging(rules[10_000], scattered),
        "10 rules, each resource a new one": _judging(rules[10], fresh),
        "10,000 rules, each resource a new one": _judging(rules[10_000], fresh),
    }
    for count in COUNTS[:2] if plan.quick else COUNTS:
        systems[f"linear oracle, {count:,} rules"] = _linear(bundles[count], fleet)
    return _series(alternate(plan, systems))


def _read(count: int, agents: int = 100, fresh: bool = False, own: float = 0.9) -> list[Action]:
    found = make_actions(count, agents, fresh=fresh, own=own)
    return [read_action(value, START_MS + i // 50) for i, (_, value) in enumerate(found)]


def _batches(actions: Sequence[Action]) -> list[Sequence[Action]]:
    return [actions[first : first + BATCH] for first in range(0, len(actions), BATCH)]


def _judging(rules: Rules, actions: Sequence[Action]) -> Callable[[int], list[float]]:
    """Judge with cells kept, as a partition does, and nothing else of what it does."""

    def run_once(number: int) -> list[float]:
        agents: dict[str, dict[str, bytes]] = {}
        started: dict[str, bytes] = {}

        def one(action: Action) -> None:
            cells = agents.get(action.agent_id, started)
            agents[action.agent_id] = {**cells, **judge(action, cells, rules).changes}

        return time_batches(one, _batches(actions))

    return run_once


def _linear(bundle: Bundle, actions: Sequence[Action]) -> Callable[[int], list[float]]:
    def run_once(number: int) -> list[float]:
        part = actions[: min(LINEAR_ACTIONS, 20_000 // len(bundle.content.policies[0].rules))]
        return time_batches(one, [[a] for a in part])

    def one(action: Action) -> object:
        return decide(bundle.content, action, QUIET, Past(read_facts(action, {})))

    return run_once


def _series(found: dict[str, list[list[float]]]) -> Series:
    mean = {name: [statistics.fmean(costs) for costs in rounds] for name, rounds in found.items()}
    p50 = {name: [quantile(costs, 0.5) for costs in rounds] for name, rounds in found.items()}
    p99 = {name: [quantile(costs, 0.99) for costs in rounds] for name, rounds in found.items()}
    series = Series(
        "rules",
        "judge(): µs of CPU an action",
        ("rules", "mean", "p50", "p99", "mean ÷ that at 10 rules"),
        raw={"mean": mean, "p50": p50, "p99": p99},
    )
    for name in found:
        figures = [spread(costs[name]).text() for costs in (mean, p50, p99)]
        series.rows.append((name, *figures, ratios(mean[name], mean["10 rules"]).text()))
    series.targets = [
        Target("judge() at 10,000 rules ÷ at 10", ratios(mean["10,000 rules"], mean["10 rules"]), most=1.2)
    ]
    series.notes = [
        f"Quantiles of batches of {BATCH} actions (the oracle's: of single ones). Detections and the agent's"
        " cells are part of it; decoding, writing the decision and the ledger are not.",
        "100 agents, nine in ten actions in one of the agent's own 5 projects, 10,000 resources; 'all over':"
        " every action in any of 200 projects.",
    ]
    return series
