"""What all shipped detections add to judging a small action without content, and each detector of them."""

import time
from collections.abc import Callable, Sequence

from bench.load import make_actions, make_bundle, make_rules
from bench.measure import Plan, Spread, alternate, spread
from bench.memory import ACTIONS_A_MS, START_MS
from bench.report import Series, Target
from cli.policy_files import shipped_detections
from detections.registry import DETECTORS
from judgement.judge import judge
from judgement.loading import set_detections
from judgement.rules import Rules, compile_rules
from schemas.action import read_action

AGENTS = 100
RULES = 10_000
OFF, ON = "no detections", "all shipped detections"
NEW = ", each resource a new one"
LEFT_OUT = "all but "
SIGMA = "sigma"
MOST_MORE = 8
"""Microseconds: with them govern stays at half the rate of a bare loop."""

Framed = Sequence[tuple[bytes, bytes]]


def run(plan: Plan) -> Series:
    """Judge the same actions with and without, in turns."""
    size = 2_000 if plan.quick else 100_000
    fleet, new = (list(make_actions(size, AGENTS, fresh=fresh)) for fresh in (False, True))
    off, on = (compile_rules(make_bundle(make_rules(RULES), detecting)) for detecting in (False, True))
    systems = {
        OFF: _judging(off, fleet),
        ON: _judging(on, fleet),
        OFF + NEW: _judging(off, new),
        ON + NEW: _judging(on, new),
    }
    for name in _left_out(plan):
        systems[LEFT_OUT + name] = _judging(_without(name), fleet)
    return _series(alternate(plan, systems))


def _left_out(plan: Plan) -> list[str]:
    names = [SIGMA, *(d.name for d in DETECTORS)]
    return names[:2] if plan.quick else names


def _without(name: str) -> Rules:
    off = {} if name == SIGMA else {name: {"enabled": False}}
    detected = set_detections(off, () if name == SIGMA else shipped_detections())
    return compile_rules(make_bundle(make_rules(RULES), detected))


def _judging(rules: Rules, framed: Framed) -> Callable[[int], float]:
    """Judge with cells kept, as a partition does, and nothing else of what it does; agents are new."""

    def run_once(number: int) -> float:
        # new objects each time: an action remembers what was asked of it
        actions = [(k, read_action(v, START_MS + i // ACTIONS_A_MS)) for i, (k, v) in enumerate(framed)]
        agents: dict[bytes, dict[str, bytes]] = {}
        started = time.process_time()
        for key, action in actions:
            cells = agents.setdefault(key, {})
            cells.update(judge(action, cells, rules).changes)
        return (time.process_time() - started) / len(actions) * 1e6

    return run_once


def _series(found: dict[str, list[float]]) -> Series:
    series = Series(
        "detecting",
        f"judge() on small actions without content, {RULES:,} policy rules: µs of CPU an action",
        ("detections", "µs", "more than without any"),
        raw={"µs": found},
    )
    for name, costs in found.items():
        base = found[OFF + NEW if name.endswith(NEW) else OFF]
        series.rows.append((name, spread(costs).text(), _more(costs, base).text()))
    series.targets = [
        Target("what all shipped detections add", _more(found[ON], found[OFF]), most=MOST_MORE, unit=" µs"),
        Target(
            "the same, each resource a new one",
            _more(found[ON + NEW], found[OFF + NEW]),
            most=2 * MOST_MORE,
            unit=" µs",
        ),
    ]
    series.notes = [
        f"{AGENTS} agents; 10,000 resources and four kinds of actions, so that most deeds came before; where"
        " each resource is a new one, none did. Cells are kept, decisions and records are not written.",
        f"'{LEFT_OUT}…': one detector is switched off ({SIGMA}: all Sigma rules and correlations).",
    ]
    return series


def _more(costs: Sequence[float], base: Sequence[float]) -> Spread:
    return spread([cost - less for cost, less in zip(costs, base, strict=True)])
