"""Limits that span agents: added up exactly, told at thresholds, and heeded by govern."""

import json
from collections.abc import Iterable
from random import Random
from typing import Any

from policies.bundle import build_bundle
from policies.model import Policy
from schemas.keys import partition_of
from schemas.model import encode_action
from schemas.topics import DECISIONS
from streams.correlate.budgets import LEVELS, order_of, spend, told
from streams.spent_orders import read_spent
from streams.topics import write_genesis
from tests.correlate.making import START
from tests.correlate.stage import Correlating, until


def usage(slot: int, amount: int, most: int = 1_000, live: int = 61) -> dict[str, Any]:
    names = {"detector": "team/calls", "title": "acme"}
    return names | {"slot": slot, "amount": amount, "most": most, "live": live, "count": 1}


def test_it_is_told_at_thresholds_with_what_brute_force_adds_up() -> None:
    for seed in range(200):
        chance, state, spent, slot, levels = Random(seed), None, [], 0, 0
        for _ in range(60):
            slot = max(0, slot + chance.choice((-1, 0, 0, 1, 5, 40)))
            amount = chance.randint(0, 60)
            spent.append((slot, amount))
            state = spend(state, usage(slot, amount), START)
            newest = max(s for s, _ in spent)
            live: dict[int, int] = {}
            for s, a in spent:
                if s > newest - 61:
                    live[s] = live.get(s, 0) + a
            total = sum(live.values())
            level = max((mark for mark in LEVELS if total >= mark * 10), default=0)
            assert bool(state["plan"]) == (level > levels), seed
            if state["plan"]:
                name, entries = read_spent(order_of(state, "log", "k"))
                assert name == ("team/calls", "acme")
                assert dict(entries) == {s: a for s, a in live.items()}
                state = told(json.loads(json.dumps(state)))
            levels = level


BUDGET = {
    "apiVersion": "praetor/v1",
    "kind": "Policy",
    "metadata": {"name": "team", "description": "A tenant's calls."},
    "rules": [
        {"id": "any", "effect": "allow", "match": {"actions": ["*"]}, "message": "fine"},
        {
            "id": "calls",
            "effect": "deny",
            "match": {"actions": ["*"]},
            "limit": {"calls": 40, "per": "tenant", "calendar": "month"},
            "message": "the tenant has spent its calls",
        },
    ],
    "cases": [
        {"name": "one", "action": {"action": "read:file"}, "expect": "allow"},
        {"name": "many", "action": {"action": "read:file"}, "expect": "deny", "after": 40},
    ],
}


def actions(stage: Correlating, tenant: str, first: int, count: int) -> Iterable[Any]:
    for n in range(first, first + count):
        record = {
            "event_id": f"00000000-0000-0000-0000-{n:012d}",
            "tenant": tenant,
            "agent_id": f"agent-{n % 10}",
            "occurred_at": START * 1000,
            "phase": "call",
            "action": "read:file",
        }
        key, value = encode_action(record)
        yield partition_of(key, stage.log.partitions), key, value, []


async def test_agents_of_several_partitions_share_a_budget(stage: Correlating) -> None:
    await stage.log.clear()
    await write_genesis(stage.log.options, stage.log.view, stage.prefix)
    await stage.log.publish(build_bundle([Policy.model_validate(BUDGET)]))
    stage.start("govern")
    stage.start()
    tenant = stage.prefix

    async def decided(count: int) -> list[dict[str, Any]] | None:
        found = [r for _, _, r in await stage.read(DECISIONS, "decision")]
        return found if len(found) >= count else None

    await stage.log.send(actions(stage, tenant, 0, 60))
    await until(lambda: decided(60))

    async def all_are_denied() -> bool:
        first = len([r for _, _, r in await stage.read(DECISIONS, "decision")])
        await stage.log.send(actions(stage, tenant, first, 10))
        found = await until(lambda: decided(first + 10))
        return {r["effect"] for r in found if int(r["event_id"][-12:]) >= first} == {"deny"}

    await until(all_are_denied)
