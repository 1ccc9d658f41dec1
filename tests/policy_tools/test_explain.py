"""Explanations agree with the index, and name what decided and what was missing."""

import random
from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from judgement.facts import read_facts
from policies.explaining.explain import Explainer, Explanation, strongest
from schemas.verdict import Effect
from tests.policies.builders import make_index, random_action, random_content, random_signals
from tests.policies.oracle import Life
from tests.policies.oracle import told as as_decided


def agree(told: Explanation, cap: int = 16) -> None:
    """What the accounts say is what the verdict says."""
    verdict = told.verdict
    assert strongest(told.accounts) is verdict.effect
    reasons = {(f"{r.policy}/{r.rule}", r.effect) for r in verdict.reasons if r.policy != "bundle"}
    said = {
        (a.name, a.effect)
        for a in told.accounts
        if a.status == "matched" or (a.status == "failed" and a.enforced)
    }
    assert reasons <= said
    if not any(r.rule == "more" for r in verdict.reasons):
        assert reasons == said
    if len(verdict.errors) <= cap:
        failed = {f"{a.name}: {a.why}" for a in told.accounts if a.status == "failed"}
        assert failed == set(verdict.errors)


def live(seed: int, rules: int, actions: int) -> Counter[str]:
    """Random agents' lives, each action explained before it is decided."""
    rng = random.Random(seed)
    content = random_content(rng, rules)
    index, explainer = make_index(content), Explainer(content, read_facts)
    lives: defaultdict[tuple[str, str], Life] = defaultdict(Life)
    seen: Counter[str] = Counter()
    now = rng.randrange(2**41)
    for number in range(actions):
        now += rng.choice((0, 1, 999, 60_000, 3_600_000))
        action, signals = random_action(rng, now, number), random_signals(rng)
        life = lives[action.tenant, action.agent_id]
        told = explainer.explain(action, signals, dict(life.cells))
        verdict = life.indexed(index, action, signals)
        assert as_decided(told.verdict) == as_decided(verdict)
        agree(told)
        seen[verdict.effect.name] += 1
        seen["failed"] += any(a.status == "failed" for a in told.accounts)
        seen["edit failed"] += any(s.key == "modify" for a in told.accounts for s in a.steps)
        seen["limited"] += any(s.key == "limit" and s.held for a in told.accounts for s in a.steps)
    return seen


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64 - 1), st.sampled_from((1, 5, 40)))
def test_an_explanation_agrees_with_the_index(seed: int, rules: int) -> None:
    live(seed, rules, 40)


def test_the_random_worlds_meet_everything() -> None:
    seen: Counter[str] = Counter()
    for seed in range(16):
        seen += live(seed, (2, 6, 80)[seed % 3], 50)
    met = (*(e.name for e in Effect if e), "failed", "edit failed", "limited")
    assert min(seen[k] for k in met) >= 5, seen
