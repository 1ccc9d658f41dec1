"""What govern counts for correlate: however batches are cut, folds add up to the decisions and threats."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from judgement.rules import compile_rules
from policies.bundle import build_bundle
from policies.model import Policy
from schemas.codec import decode
from schemas.keys import agent_key
from streams.partition import Batch, Partition, Place
from streams.progress import Progress
from tests.streams.fleet import fleet
from tests.streams.helpers import bundle
from tests.streams.test_exactly_once import stored

SOURCE = stored(list(fleet(3, 600, 2, agents=20)), 0)
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
            "limit": {"calls": 10_000, "per": "tenant", "window": "1h"},
            "message": "too many",
        },
    ],
    "cases": [
        {"name": "one", "action": {"action": "read:file"}, "expect": "allow"},
        {"name": "many", "action": {"action": "read:file"}, "expect": "deny", "after": 10_000},
    ],
}


def judged(size: int, rules=None) -> list[Batch]:
    partition = Partition(Place("log", 0, 2), Progress("log"), {})
    partition.under(rules or compile_rules(bundle()), 1)
    batches = []
    for start in range(0, len(SOURCE), size):
        batches.append(partition.judge(SOURCE[start : start + size]))
        partition.commit(batches[-1])
    return batches


def folds_of(batches: list[Batch]) -> list[dict]:
    return [decode(value, "fold") | {"record_key": key} for b in batches for key, value in b.folds]


def added_up(batches: list[Batch]) -> Counter:
    found: Counter = Counter()
    for fold in folds_of(batches):
        for item in fold["items"]:
            key = (fold["tenant"], fold["agent_id"], fold["session_id"], fold["resource"], item["kind"])
            found[(*key, item["detector"])] += item["count"]
    return found


WHOLE = judged(len(SOURCE))
DECIDED = [decode(value, "decision") for batch in WHOLE for _, value in batch.decisions]


@settings(max_examples=20)
@given(st.integers(1, 200))
def test_any_cut_counts_the_same(size: int) -> None:
    assert added_up(judged(size)) == added_up(WHOLE)


def test_folds_are_the_denials_and_the_threats() -> None:
    folds = folds_of(WHOLE)
    misrouted = {"misrouted"}
    denied = [d for d in DECIDED if d["effect"] == "deny" and d["reasons"][0]["rule"] not in misrouted]
    assert sum(f["denial_count"] for f in folds) == len(denied) > 0
    threats = [decode(value, "threat") for batch in WHOLE for _, value in batch.threats]
    heard = [t for t in threats if t["muted_by"] is None]
    assert sum(f["threat_count"] for f in folds) == len(heard) > 0
    assert all(f["record_key"] == agent_key(f["tenant"], f["agent_id"]) for f in folds)
    told = {event for f in folds for item in f["items"] for event in item["evidence"]}
    assert told <= {d["event_id"] for d in DECIDED} | {e for t in threats for e in t["evidence"]}


def test_a_batch_makes_one_fold_a_key() -> None:
    for batch in judged(50):
        keys = [
            tuple(fold[name] for name in ("tenant", "agent_id", "session_id", "user", "resource", "tool"))
            for fold in folds_of([batch])
        ]
        assert len(keys) == len(set(keys))


def test_what_is_allowed_makes_no_fold_but_for_a_limit_that_spans_agents() -> None:
    batches = judged(200, compile_rules(build_bundle([Policy.model_validate(BUDGET)])))
    items = [(f, item) for f in folds_of(batches) for item in f["items"]]
    usage = [(f["tenant"], item["amount"]) for f, item in items if item["kind"] == "usage"]
    decided = [decode(value, "decision") for batch in batches for _, value in batch.decisions]
    counted = [d for d in decided if "team/calls" in d["limits_remaining"]]
    assert sum(amount for _, amount in usage) == len(counted) > 0
    assert {tenant for tenant, _ in usage} == {d["tenant"] for d in counted}
    assert len(usage) <= len(batches) * len({tenant for tenant, _ in usage}) * 2
