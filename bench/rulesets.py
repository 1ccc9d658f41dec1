"""Rule sets that policies are measured by, and the actions that meet them."""

import json
import random
import uuid
from collections.abc import Sequence
from typing import Any

from bench.load import TENANT, make_rules
from bench.memory import ACTIONS_A_MS, START_MS
from policies.rule import Match, Rule
from schemas.action import Action, read_action
from schemas.codec import encode

VARIETY = 10_000
"""Resources that actions go to, however many rules there are."""
EVERY = 10
"""One rule in so many carries a condition."""


def half_said(count: int, per_agent: int = 0) -> list[Rule]:
    """The rules of `make_rules`, a tenth of them with a condition in CEL, each with one of its own."""
    rules = make_rules(count, per_agent)
    for i in range(count - 2):
        if i % EVERY == i // 100 % EVERY:
            rules[i] = rules[i].model_copy(update={"when": condition(i)})
    return rules


def condition(number: int) -> str:
    """A condition that holds of every action made here, and is like no other."""
    return f"action.cost_usd < 100.0 && args.limit <= {500 + number}"


def with_reached(count: int, reached: int) -> list[Rule]:
    """`make_rules`, and so many rules with a condition that every action reaches."""
    more = [
        Rule(id=f"all-{i}", effect="deny", match=Match(), when=f"!({condition(i)})", message="never")
        for i in range(reached)
    ]
    return [*make_rules(count - reached), *more]


def path_rules(count: int) -> list[Rule]:
    """So many places, each allowed to one of 100 agents; a tenth of them denied to another."""
    return [
        Rule(
            id=f"place-{i}",
            effect="deny" if i % EVERY == 0 else "allow",
            match=Match(
                agents=[f"agent-{i % 100}"], actions=["read:file"], paths=[f"/srv/team-{i % 100}/case-{i}"]
            ),
            message="a place",
        )
        for i in range(count)
    ]


def host_rules(count: int) -> list[Rule]:
    """So many hosts by suffix, address and network, each allowed to one of 100 agents or denied to it."""
    kinds = (".case-{0}.example.com", "10.{1}.{2}.7", "172.16.{1}.{2}/32", "*.{0}.example.org")
    return [
        Rule(
            id=f"host-{i}",
            effect="deny" if i % EVERY == 0 else "allow",
            match=Match(
                agents=[f"agent-{i % 100}"],
                actions=["call:http"],
                hosts=[kinds[i % 4].format(i, i >> 8, i & 255)],
            ),
            message="a host",
        )
        for i in range(count)
    ]


def meeting(rules: Sequence[Rule], count: int, seed: int, fresh: bool = False) -> list[bytes]:
    """Framed actions, each of which meets one of some rules, chosen at random.

    Args:
        rules: with one agent, one action and one place each.
        count: how many.
        seed: the same seed gives the same actions.
        fresh: whether each resource is a new one; else there are `VARIETY`, so that it is the number of rules
            alone that grows.
    """
    rng = random.Random(seed)
    files = max(VARIETY // len({_resource(rule.match, "") for rule in rules}), 1)
    names = (f"{seed}-{i}" if fresh else str(rng.randrange(files)) for i in range(count))
    return [_framed(rng, rng.choice(rules), name, i) for i, name in enumerate(names)]


def _framed(rng: random.Random, rule: Rule, name: str, number: int) -> bytes:
    record: dict[str, Any] = {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "tenant": TENANT,
        "agent_id": _one(rule.match.agents),
        "session_id": "session-1",
        "occurred_at": START_MS * 1000 + number,
        "phase": "call",
        "mode": "observe",
        "action": _one(rule.match.actions),
        "resource": _resource(rule.match, name),
        "tool": "editor",
        "model": "model-x",
        "input_tokens": 1200,
        "output_tokens": 33,
        "cost_usd": 0.0012,
        "arguments": json.dumps({"path": "/workspace/src/main.py", "limit": 200, "encoding": "utf-8"}),
        "salt": rng.randbytes(16),
    }
    return encode("action_event", record)


def _one(entries: Sequence[object] | None) -> str:
    return str((entries or [""])[0])


def _resource(match: Match, name: str) -> str:
    if match.paths:
        return f"{_one(match.paths)}/file-{name}.py"
    if match.hosts:
        host = _one(match.hosts).removesuffix("/32")
        host = f"sub{host[host.index('.') :]}" if host[0] in "*." else host
        return f"https://{host}/file-{name}"
    return f"{_one(match.resources).removesuffix('*')}src/file-{name}.py"


def read(framed: Sequence[bytes]) -> list[Action]:
    """Actions as a worker has them just decoded: nothing of them was asked for yet."""
    return [read_action(value, START_MS + i // ACTIONS_A_MS) for i, value in enumerate(framed)]
