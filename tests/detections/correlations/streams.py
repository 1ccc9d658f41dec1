"""Seeded worlds: some correlations, and a stream of one agent's events with what single rules said."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from detections.sigma.correlation.model import KINDS, NUMERIC, VALUED, Correlation
from schemas.action import Action, read_action
from schemas.codec import encode

RULES = ("r0", "r1", "r2", "r3")
START = 1_700_000_000_000
TEXTS: tuple[Any, ...] = (
    "a",
    "A",
    "ß",
    "\x00",
    "",
    "a\nb",
    "1",
    "1.5",
    "-3",
    "1e3",
    "nan",
    "\u0663",
    "\U0001d49c",
)
OTHERS: tuple[Any, ...] = (None, True, False, 1, 1.0, 0, -2, 2.5, 0.1, 10**30, -1e300, 3, 7.25)
NESTED: tuple[Any, ...] = ([1], [1, "a"], ["a", [None, 1.0]], [], {}, {"a": 1}, [[]])


class Event(NamedTuple):
    """An action, the names of the rules that matched it, and what rules read of it."""

    action: Action
    matched: frozenset[str]
    fields: dict[str, Any]


class World(NamedTuple):
    """What is evaluated, the skew in milliseconds, and on what."""

    correlations: list[Correlation]
    skew_ms: int
    events: list[Event]


def world(seed: int) -> World:
    """A world of its own for each seed; in every sixth so much happens that windows must be pruned."""
    rng = Random(seed)
    dense = seed % 6 == 0
    correlations: list[Correlation] = []
    for number in range(rng.choice((1, 1, 2, 3))):
        correlations.append(correlation(rng, number, [c.name for c in correlations], dense))
    return World(correlations, rng.choice((0, 1_000, 20_000)), _events(rng, dense))


def correlation(rng: Random, number: int, earlier: list[str], dense: bool) -> Correlation:
    """A correlation of any kind, over rules and those of `earlier`; if `dense`, in short windows."""
    kind = rng.choice(
        [*KINDS, "temporal", "temporal_ordered"],
    )
    known = [*RULES, *earlier, *earlier]
    least = 2 if kind == "temporal_ordered" else 1
    rules = list(dict.fromkeys(rng.sample(known, rng.randint(least, min(4, len(known))))))
    if len(rules) < least:
        rules = list(RULES[:2])
    group_by = ["agent_id", *rng.sample(("args.k", "args.k2", "who"), rng.randint(0, 2))]
    made: dict[str, Any] = {
        "name": f"c{number}",
        "title": "a correlation",
        "kind": kind,
        "rules": rules,
        "group_by": group_by,
        "timespan": rng.choice((2, 5) if dense else (1, 2, 5, 20, 120)),
        "clock": rng.choice(("received_at", "received_at", "occurred_at")),
    }
    if "who" in group_by:
        made["aliases"] = {"who": {rule: rng.choice(("args.k", "args.k2", "args.v")) for rule in rules}}
    if kind in VALUED:
        made["fields"] = ["args.v", "args.k"][: rng.choice((1, 1, 2)) if kind == "value_count" else 1]
    return Correlation.model_validate(made | _condition(rng, kind, rules))


def _condition(rng: Random, kind: str, rules: list[str]) -> dict[str, Any]:
    if kind == "temporal_ordered":
        return {"threshold": len(rules)}
    if kind == "temporal" and rng.random() < 0.5:
        return {"expression": _expression(rng, rules, 3)}
    operator = rng.choice(("gt", "gte", "gte", "gte", "lt", "lte", "eq", "neq"))
    if kind in NUMERIC:
        threshold: float = rng.choice((-2, 0, 0.1, 1.5, 2, 7.25, 30))
    else:
        threshold = rng.choice((0, 1, 2, 3, 5, 12)) if kind != "temporal" else rng.randint(0, len(rules))
    return {"operator": operator, "threshold": threshold, "percentile": rng.choice((0, 1, 50, 95, 100))}


def _expression(rng: Random, rules: list[str], depth: int) -> Any:
    word = rng.choice(("and", "or", "not", "", ""))
    if not depth or not word:
        return rng.choice(rules)
    parts = 1 if word == "not" else rng.randint(1, 3)
    return [word, *(_expression(rng, rules, depth - 1) for _ in range(parts))]


def _events(rng: Random, dense: bool) -> list[Event]:
    at = START
    step = 4 if dense else rng.choice((3, 60, 600))
    groups: list[Any] = rng.sample(TEXTS + OTHERS + NESTED, rng.choice((1, 2) if dense else (1, 2, 6)))
    values = rng.sample(TEXTS[:8], 3) if dense else TEXTS + OTHERS + NESTED
    found = []
    for _ in range(rng.choice((120, 200) if dense else (5, 20, 60, 120))):
        at += rng.choice(
            (0, 0, 1, rng.randrange(step), rng.randrange(10 * step), 1_500 * (rng.random() < 0.1))
        )
        arguments = arguments_of(rng, groups, values)
        matched = matching(rng)
        fields = {"agent_id": "a", **{f"args.{name}": value for name, value in arguments.items()}}
        found.append(Event(_action(rng, at, arguments), matched, fields))
    return found


def arguments_of(rng: Random, groups: Sequence[Any], values: Sequence[Any]) -> dict[str, Any]:
    """What is grouped by, and what is counted; now and then one of them is missing."""
    arguments = {"k": rng.choice(groups), "k2": rng.choice(groups), "v": rng.choice(values)}
    for name in list(arguments):
        if rng.random() < 0.05:
            del arguments[name]
    return arguments


def matching(rng: Random) -> frozenset[str]:
    """The rules that an event matches."""
    return frozenset(rule for rule in RULES if rng.random() < rng.choice((0.2, 0.5)))


def claimed(rng: Random, at: int) -> int:
    """When an event that is received at `at` says it was, in microseconds: late, early, by hours."""
    hours = 3_600_000
    late = rng.choice((0, 0, 1, 5, rng.randrange(3_000), rng.randrange(40_000), 9 * hours, -30 * hours))
    return (at - late * rng.choice((1, 1, -1))) * 1000 + rng.randrange(1000)


def _action(rng: Random, at: int, arguments: dict[str, Any]) -> Action:
    when = claimed(rng, at)
    fields = {
        "event_id": str(UUID(int=rng.getrandbits(128), version=4)),
        "tenant": "acme",
        "agent_id": "a",
        "occurred_at": when,
        "action": "read:file",
        "resource": "x",
        "arguments": json.dumps(arguments, ensure_ascii=rng.random() < 0.5),
    }
    return read_action(encode("action_event", fields), at)
