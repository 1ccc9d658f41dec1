"""Sigma rules on every event as they grow in number, and the evaluator that takes them one by one beside."""

import time
from collections.abc import Callable, Sequence

from bench.detection_rules import make_events, make_rules
from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series, Target
from bench.rulesets import read
from detections.sigma.compiled import CompiledRules
from detections.sigma.naive import match_all
from detections.sigma.rule import SigmaRule
from runtime.errors import PraetorError

COUNTS = (10, 100, 1_000)
LEAST_RATE = 93_000.0
MOST_GROWTH = 3.0
SEEN = 200
"""Events of another seed by which rare literals are told from common ones, as a worker's last ones would."""


def run(plan: Plan) -> Series:
    """Match in turns: each rule set by both, on the same events."""
    events = 500 if plan.quick else 20_000
    few = {10: 200, 100: 60, 1_000: 12} if not plan.quick else dict.fromkeys(COUNTS, 5)
    systems: dict[str, Callable[[int], float]] = {}
    matching: dict[int, float] = {}
    for count in COUNTS:
        rules = make_rules(count)
        framed = make_events(rules, events)
        seen = [action.body for action in read(make_events(rules, SEEN, seed=3))]
        compiled = CompiledRules(rules, seen)
        matching[count] = _check(compiled, rules, framed[: few[count]], framed)
        systems[f"{count:,} rules"] = _compiled(compiled, framed)
        systems[f"{count:,} rules, one by one"] = _naive(rules, framed[: few[count]])
    return _series(alternate(plan, systems), matching)


def _compiled(compiled: CompiledRules, framed: Sequence[bytes]) -> Callable[[int], float]:
    def run_once(number: int) -> float:
        actions = read(framed)  # new objects each time: an action remembers what was asked of it
        started = time.thread_time_ns()
        for action in actions:
            compiled.match(action)
        return (time.thread_time_ns() - started) / len(actions) / 1000

    return run_once


def _naive(rules: Sequence[SigmaRule], framed: Sequence[bytes]) -> Callable[[int], float]:
    def run_once(number: int) -> float:
        actions = read(framed)
        started = time.thread_time_ns()
        for action in actions:
            match_all(rules, action)
        return (time.thread_time_ns() - started) / len(actions) / 1000

    return run_once


def _check(
    compiled: CompiledRules, rules: Sequence[SigmaRule], few: Sequence[bytes], framed: Sequence[bytes]
) -> float:
    """The share of events that match.

    Raises:
        PraetorError: the two do not say the same: then the figures would say nothing.
    """
    for action in read(few):
        if list(compiled.match(action).rules) != match_all(rules, action)[0]:
            raise PraetorError("the compiled rules do not match as the naive evaluator does")
    return sum(bool(compiled.match(action).rules) for action in read(framed)) / len(framed)


def _series(found: dict[str, list[float]], matching: dict[int, float]) -> Series:
    most = f"{COUNTS[-1]:,} rules"
    rates = {name: [1e6 / cost for cost in costs] for name, costs in found.items()}
    series = Series(
        "sigma",
        "Sigma rules on decoded events: CPU µs of each event, one core",
        ("rules", "µs", "events/s"),
        raw={"µs": found, "matching": matching},
        rows=[(name, spread(found[name]).text(), spread(rates[name]).text(0)) for name in found],
        targets=[
            Target(f"events/s at {most}", spread(rates[most]), least=LEAST_RATE),
            Target(f"{most} ÷ 10 rules", ratios(found[most], found["10 rules"]), most=MOST_GROWTH),
            Target(
                f"one by one ÷ compiled, {most}", ratios(found[f"{most}, one by one"], found[most]), least=10
            ),
        ],
    )
    shares = ", ".join(f"{share:.1%} of events at {count:,}" for count, share in matching.items())
    series.notes = [
        "Rules and events are bench/detection_rules.py's, made before what is measured here. Both said the"
        f" same of the events that both were asked. A rule matches {shares}.",
        "Events are decoded before and their arguments are not: reading those (2 µs) is in the figures.",
        f"The rare literals are told from the common ones by {SEEN} events of another seed.",
    ]
    return series
