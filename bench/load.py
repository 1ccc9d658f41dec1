"""What is judged, and by what: seeded actions of a fleet, rules of any number, the log filled with them."""

import random
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from cli.policy_files import shipped_detections
from judgement.loading import default_detections
from policies.bundle import Bundle, build_bundle
from policies.case import Case
from policies.model import Metadata, Policy
from policies.rule import Match, Rule
from policies.signals import AS_BEFORE, Detected
from schemas.codec import encode
from schemas.keys import agent_key
from streams.producing import ActionProducer

TENANT = "acme"
PROJECTS = 200
OWN_PROJECTS = 5
FILES = 50
KINDS = ("read:file", "write:file", "call:tool", "exec:shell")
WEIGHTS = (60, 25, 13, 2)
"""What the fleet does, in percent; exec:shell is denied."""

CHUNK = 20_000


def make_actions(
    count: int, agents: int, seed: int = 1, fresh: bool = False, own: float = 0.9
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and framed actions of some 283 bytes.

    Args:
        count: how many.
        agents: that take turns at random.
        seed: the same seed gives the same actions.
        fresh: whether every resource is a new one; else there are 10,000 of them.
        own: the share of actions in one of the agent's own 5 projects; the others are in any of 200.
    """
    rng = random.Random(seed)
    lives = [0] * agents
    for i in range(count):
        number = rng.randrange(agents)
        agent = f"agent-{number}"
        project = (number * OWN_PROJECTS + rng.randrange(OWN_PROJECTS)) % PROJECTS
        if rng.random() >= own:
            project = rng.randrange(PROJECTS)
        file = i if fresh else rng.randrange(FILES)
        record: dict[str, Any] = {
            "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "tenant": TENANT,
            "agent_id": agent,
            "session_id": f"session-{agent}",
            "occurred_at": 1_790_000_000_000_000 + i,
            "phase": "call",
            "mode": "observe",
            "action": rng.choices(KINDS, WEIGHTS)[0],
            "resource": f"/workspace/project-{project}/src/file-{file}.py",
            "tool": "editor",
            "model": "model-x",
            "input_tokens": 1200,
            "output_tokens": 33,
            "cost_usd": 0.0012,
            "producer_id": "producer-1",
            "producer_epoch": 3,
            "producer_seq": lives[number],
            "arguments": '{"path": "/workspace/src/main.py", "limit": 200, "encoding": "utf-8"}',
            "salt": rng.randbytes(16),
        }
        lives[number] += 1
        yield agent_key(TENANT, agent), encode("action_event", record)


def make_rules(count: int, per_agent: int = 0) -> list[Rule]:
    """This many rules: what agents may do in their projects, then what all may do.

    Args:
        count: at least 2.
        per_agent: so many rules in a row are of one agent; 0 spreads them over 100 agents.
    """
    rules = [
        _rule(
            f"project-{i}",
            "deny" if i % 50 == 49 else "allow",
            agents=[f"agent-{i // per_agent if per_agent else i % 100}"],
            actions=[("read:file", "write:file")[i // 100 % 2]],
            resources=[f"/workspace/project-{i % per_agent if per_agent else i // 100}/*"],
        )
        for i in range(count - 2)
    ]
    rules.append(_rule("ordinary", "allow", actions=["read:*", "write:*", "call:*"]))
    return [*rules, _rule("no-shell", "deny", actions=["exec:*"])]


def _rule(name: str, effect: Any, **match: Any) -> Rule:
    return Rule(id=name, effect=effect, match=Match(**match), message=f"{effect} by {name}")


def make_bundle(rules: Sequence[Rule], detecting: bool | Detected = False) -> Bundle:
    """A bundle of one policy, with some detections; where it is `detecting`, with all that are shipped."""
    actions = {"allow": "read:file", "deny": "exec:shell"}
    cases = [
        Case.model_validate({"name": e, "action": {"action": a}, "expect": e}) for e, a in actions.items()
    ]
    policy = Policy(
        apiVersion="praetor/v1",
        kind="Policy",
        metadata=Metadata(name="bench", description="what is measured"),
        rules=list(rules),
        cases=cases,
    )
    if isinstance(detecting, bool):
        detecting = default_detections(shipped_detections()) if detecting else AS_BEFORE
    return build_bundle([policy], detecting)


def spoil(rng: random.Random, value: bytes) -> bytes:
    """A value of ordinary size that does not decode."""
    at = rng.randrange(6, len(value) - 10)
    return rng.choice(
        [
            value[:at],
            value + b"\x00",
            b"\x00\x00\x00\x27\x0f" + value[5:],
            value[:5] + b"\xff" * 11 + value[16:],
            rng.randbytes(len(value)),
        ]
    )


async def fill(bootstrap: str, count: int, agents: int, spoilt: float = 0.0) -> None:
    """Publish actions into `agent.actions`; a share of them is spoilt, and leaves nobody's numbers a gap."""
    rng = random.Random(2)
    good, bad = make_actions(count, agents), make_actions(count, agents, seed=3)
    async with ActionProducer({"bootstrap_servers": bootstrap}) as producer:
        chunk: list[tuple[bytes, bytes]] = []
        for _ in range(count):
            if rng.random() < spoilt:
                key, value = next(bad)
                chunk.append((key, spoil(rng, value)))
            else:
                chunk.append(next(good))
            if len(chunk) == CHUNK:
                await producer.publish(chunk)
                chunk = []
        await producer.publish(chunk)
        await producer.flush()
