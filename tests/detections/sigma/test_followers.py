"""Rules that are only wanted after another one are looked at only then: what comes of it is the same."""

import json
from random import Random

import pytest

from cli.policy_files import shipped_detections
from detections.detector import Observation
from detections.sigma.correlation.model import Correlation
from detections.sigma.live import Sigma
from judgement.judge import judge
from judgement.loading import default_detections
from judgement.rules import compile_rules
from policies.bundle import build_bundle
from schemas.action import Action
from schemas.verdict import Effect
from tests.detections.correlations.making import act, correlation
from tests.policies.builders import make_action, make_policy
from tests.streams.correlated import single_rules

RULES = single_rules()
NAMES = [rule.name for rule in RULES]


def ordered(rng: Random, number: int) -> Correlation:
    rules = rng.sample(NAMES, rng.choice((2, 2, 3)))
    group_by = ["agent_id", *(["args.k"] if rng.random() < 0.5 else [])]
    made = {"name": f"c{number}", "rules": rules, "threshold": len(rules), "group_by": group_by}
    return correlation("temporal_ordered", **made, timespan=rng.choice((1, 3, 10)))


def stream(rng: Random, first: list[str]) -> list[Action]:
    """One agent's actions, the first of some rules; a tenth have arguments that cannot be read."""
    at, found = 0.0, [act(0, {"rules": first, "k": 0})]
    for _ in range(80):
        at += rng.choice((0.0, 0.2, 2.0))
        arguments = {"rules": [name for name in NAMES if rng.random() < 0.25], "k": rng.randrange(2)}
        found.append(act(at, "{" if rng.random() < 0.1 else json.dumps(arguments)))
    return found


def said(engine: Sigma, actions: list[Action]) -> list[Observation]:
    cells: dict[str, bytes] = {}
    told = []
    for action in actions:
        told.append(engine.observe(action, cells))
        cells |= told[-1].changes
        cells = {name: cell for name, cell in cells.items() if cell}
    return told


@pytest.mark.parametrize("seed", range(24))
def test_looking_at_them_always_finds_nothing_more(seed: int) -> None:
    rng = Random(seed)
    correlations = [ordered(rng, number) for number in range(rng.choice((1, 2)))]
    leaders = {c.rules[0] for c in correlations}
    followers = {rule for c in correlations for rule in c.rules} - leaders
    actions = stream(rng, sorted(followers))
    always = said(Sigma(RULES, correlations, 0, asked=None), actions)
    seldom = said(Sigma(RULES, correlations, 0, asked=frozenset()), actions)
    names = {c.name for c in correlations}
    for one, other in zip(always, seldom, strict=True):
        assert one.findings == other.findings
        assert names & set(one.on) == names & set(other.on)
        assert set(other.on) <= set(one.on)
    assert set(always[0].on) == followers and seldom[0].on == ()


@pytest.mark.parametrize(
    "asking", [{"match": {"detections": ["deed-done"]}}, {"when": "'deed-done' in detections"}], ids=str
)
def test_what_a_policy_asks_for_is_looked_at_wherever_it_is(asking: dict[str, object]) -> None:
    file = [source for source in shipped_detections() if source[0].endswith("/refused-and-done.yml")]
    shipped = default_detections(file)
    deed = make_action(1, phase="call", action="pay:invoice", resource="invoice-7")
    for rules, effect in (([], Effect.allow), ([asking], Effect.deny)):
        policy = make_policy([{"effect": "allow", "match": {}}, *rules])
        assert judge(deed, {}, compile_rules(build_bundle([policy], shipped))).verdict.effect is effect
