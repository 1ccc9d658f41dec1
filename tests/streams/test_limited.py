"""Limits under rebalances and kill -9: an agent limited to N calls is allowed exactly N."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from policies.bundle import Bundle, build_bundle
from policies.model import Policy
from runtime.embedded.services import Broker
from schemas.codec import decode
from tests.streams.exactly_once import violations
from tests.streams.fleet import action, routed
from tests.streams.helpers import Log
from tests.streams.workers import Workers

PARTITIONS, AGENTS, EACH, MOST = 6, 40, 500, 137


def limited() -> Bundle:
    """So many calls an agent in a sliding month."""
    limit = {"calls": MOST, "window": "31d"}
    rules = [
        {"id": "read", "effect": "allow", "match": {"actions": ["read:*"]}, "message": "reading is fine"},
        {"id": "enough", "effect": "deny", "match": {}, "limit": limit, "message": "enough for a month"},
    ]
    document = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "limited", "description": "so many calls"},
        "rules": rules,
        "cases": [
            {"name": "yes", "action": {"action": "read:x"}, "expect": "allow"},
            {"name": "no", "action": {"action": "read:x"}, "after": MOST, "expect": "deny", "rule": "enough"},
        ],
    }
    return build_bundle([Policy.model_validate(document)])


@pytest.mark.timeout(900)
async def test_exactly_so_many_are_allowed_whatever_happens(own_broker: Broker, tmp_path: Path) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", PARTITIONS).mint()
    await log.publish(limited())
    rng = Random(9)
    agents = [f"agent-{n % AGENTS}" for n in range(AGENTS * EACH)]
    rng.shuffle(agents)
    ends = await log.send([routed(action(rng, agent), PARTITIONS) for agent in agents])
    prefix, total = await log.outputs(), len(agents)
    moments = [total // 20, total // 5, total // 2]
    with Workers(log.bootstrap, log.keys, prefix, tmp_path / "logs") as workers:
        workers.start(4)
        async with log.following(prefix) as following:
            while not following.reached(ends):
                await following.step()
                if moments and following.total() >= moments[0]:
                    moments.pop(0)
                    workers.kill(rng.randrange(len(workers.running)))
                    workers.start(1)  # a rebalance of its own
                workers.check()
        assert not moments
    outputs = await log.read(prefix)
    assert not violations(await log.records("agent.actions"), outputs)
    allowed: Counter[str] = Counter()
    for records in outputs.decisions.values():
        for record in records:
            decision = decode(record.value, "decision")
            left = decision["limits_remaining"]["limited/enough"]
            agent = decision["agent_id"]
            allowed[agent] += decision["effect"] == "allow"
            assert left == MOST - allowed[agent]
    assert allowed == Counter({f"agent-{n}": MOST for n in range(AGENTS)})
