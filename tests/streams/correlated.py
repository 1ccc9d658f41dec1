"""Random correlations in a bundle, agents that make them hold, and what brute force says of the log."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

from aiokafka import ConsumerRecord

from detections.carried import Content, write_content
from detections.loading import load_detections
from detections.settings import Settings
from detections.sigma.correlation.model import Correlation
from detections.sigma.rule import SigmaRule
from policies.bundle import Bundle, build_bundle
from policies.model import Policy
from policies.signals import Detected
from schemas.action import read_action
from schemas.codec import decode
from tests.detections.correlations.brute import brute
from tests.detections.correlations.streams import (
    OTHERS,
    RULES,
    TEXTS,
    Event,
    World,
    arguments_of,
    claimed,
    correlation,
    matching,
)
from tests.streams.fleet import Sent, action, routed

SKEW_SECONDS = 20
MATCHED = "rules"
"""The argument that says which rules match an action."""
RULE = """\
name: {name}
title: An action that says so
status: test
level: informational
description: For the test.
logsource: {{product: ai_agent}}
detection:
  it: {{args.rules: {name}}}
  condition: it
"""
Said = set[tuple[str, str]]
"""Events and the correlations that said something at them."""


def correlations(seed: int, count: int) -> list[Correlation]:
    """Random ones, some of them over others."""
    rng = Random(seed)
    made: list[Correlation] = []
    for number in range(count):
        made.append(correlation(rng, number, [c.name for c in made[-2:]], dense=False))
    return made


def single_rules() -> tuple[SigmaRule, ...]:
    """The rules that random correlations are of: each matches the actions that name it."""
    text = "---\n".join(RULE.format(name=rule) for rule in RULES)
    return load_detections([("rules.yml", text.encode())]).rules


def correlating(of: Sequence[Correlation]) -> Bundle:
    """A bundle that allows all but what a correlation holds at; every detector in code is on, too."""
    content = Content(Settings.read({}), single_rules(), tuple(of), skew_seconds=SKEW_SECONDS)
    denying = [
        {"id": c.name, "effect": "deny", "message": c.name, "match": {"detections": [c.name]}} for c in of
    ]
    policy = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "correlated", "description": "what holds is denied"},
        "rules": [{"id": "all", "effect": "allow", "match": {}, "message": "fine"}, *denying],
        "cases": [
            {"name": "yes", "action": {"action": "read:x"}, "expect": "allow"},
            {"name": "no", "action": {"action": "read:x"}, "expect": "allow"},
        ],
    }
    return build_bundle([Policy.model_validate(policy)], Detected(write_content(content), content.names()))


def round_of(rng: Random, agents: int, count: int, partitions: int) -> Iterator[Sent]:
    """What the agents do now; their own clocks are late, early, or wrong by hours."""
    now = int(time.time() * 1000)
    for _ in range(count):
        arguments = arguments_of(rng, TEXTS[:3] + OTHERS[:4], TEXTS + OTHERS)
        arguments[MATCHED] = sorted(matching(rng))
        text = json.dumps(arguments, ensure_ascii=rng.random() < 0.5)
        who = f"agent-{rng.randrange(agents)}"
        yield routed(action(rng, who, occurred_at=claimed(rng, now), arguments=text), partitions)


def expected(of: Sequence[Correlation], source: Iterable[Sequence[ConsumerRecord]]) -> tuple[Said, Said]:
    """What holds at which event, and what fires, of the log's committed actions."""
    on, fired = Said(), Said()
    for events in _by_agent(source).values():
        for event, (holds, fires) in zip(
            events, brute(World(list(of), SKEW_SECONDS * 1000, events)), strict=True
        ):
            on.update((event.action.event_id, name) for name in holds)
            fired.update((event.action.event_id, name) for name in fires)
    return on, fired


def _by_agent(source: Iterable[Sequence[ConsumerRecord]]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for records in source:
        received = 0
        for record in records:
            received = max(received, record.timestamp)
            one = read_action(record.value, received)
            arguments: dict[str, Any] = json.loads(one.get("arguments"))
            matched = frozenset(arguments.pop(MATCHED))
            fields = {"agent_id": one.agent_id} | {f"args.{name}": value for name, value in arguments.items()}
            found.setdefault(one.agent_id, []).append(Event(one, matched, fields))
    return found


def told(
    of: Sequence[Correlation],
    decisions: Iterable[Sequence[ConsumerRecord]],
    threats: Iterable[Sequence[ConsumerRecord]],
) -> tuple[Said, Said]:
    """What decisions say was on, and threats was found, of these correlations; nothing is found twice."""
    names = {c.name for c in of}
    on, fired, keys = Said(), Said(), Counter[tuple[str, str]]()
    for records in decisions:
        for record in records:
            decision = decode(record.value, "decision")
            assert not decision["errors"], decision["errors"]
            rules = {reason["rule"] for reason in decision["reasons"]} & names
            on.update((decision["event_id"], name) for name in rules)
    for records in threats:
        for record in records:
            threat = decode(record.value, "threat")
            if threat["detector"] in names:
                fired.add((threat["evidence"][-1], threat["detector"]))
                keys[threat["evidence"][-1], threat["dedup_key"]] += 1
    assert set(keys.values()) <= {1}
    return on, fired
