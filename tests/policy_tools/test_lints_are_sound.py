"""What lint is certain of is so, on random patterns and random worlds."""

import json
import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from documents.pattern import parse_pattern
from judgement.facts import read_facts
from policies.bundle import Content, build_bundle
from policies.explaining.explain import Explainer
from policies.explaining.steps import fits
from policies.linting.cover import covers, path_covers, sample
from policies.linting.finding import Finding
from policies.linting.lint import lint_policies
from policies.load import Loaded, load_policies
from policies.paths import path_inside, path_touches
from tests.policies.builders import (
    make_index,
    random_action,
    random_pattern,
    random_resource,
    random_rule,
    random_signals,
)
from tests.policy_tools.linted import CASES

SEEDS = st.integers(0, 2**64 - 1)
WORDS = ("read:file", "/srv/a", "/a/b/.env", "a", "ab", "aab", "a-b")


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_a_pattern_that_covers_another_means_all_that_it_means(seed: int) -> None:
    rng = random.Random(seed)
    wide, narrow = random_pattern(rng, WORDS), random_pattern(rng, WORDS)
    assert glob(narrow, sample(narrow)) or "[" in narrow
    if covers(wide, narrow):
        texts = {sample(narrow, rng.choice("ab/.-x")) for _ in range(4)} | set(WORDS)
        texts |= {"".join(rng.choice("ab/:.r-") for _ in range(rng.randrange(6))) for _ in range(200)}
        assert all(glob(wide, text) for text in texts if glob(narrow, text))


def glob(pattern: str, text: str) -> bool:
    return fits(parse_pattern(pattern), text)


def test_what_covers_what() -> None:
    yes = [("*", "x"), ("a*", "ab*"), ("*a*", "*ba*"), ("?", "[ab]"), ("[a-c]x", "bx"), ("a*c", "ab*bc")]
    no = [("a", "a*"), ("a?", "a*"), ("*b", "*"), ("[ab]", "?"), ("a*b*", "a*"), ("ab", "a")]
    assert all(covers(*pair) for pair in yes)
    assert not any(covers(*pair) for pair in no)
    assert path_covers("/srv", "/srv/a/b") and path_covers("/", "**/.env") and path_covers("~/.ssh", "~/.ssh")
    assert not any(path_covers("/srv", p) for p in ("/srvx", "/srv*", "srv/a", "~/a", "/etc"))


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_a_path_that_covers_another_holds_all_that_it_holds(seed: int) -> None:
    rng = random.Random(seed)
    parts = ("srv", "a", "usr", "bin", "home", "var", "run", "etc", "private")
    names = [rng.choice(parts) for _ in range(rng.randint(2, 4))]
    root = rng.choice(("/", "~/", ""))
    wide, narrow = root + "/".join(names[: rng.randint(1, len(names))]), root + "/".join(names)
    if not path_covers(wide, narrow):
        return
    tail = "/".join(rng.choice((*parts, "..", ".", "%2e%2e", "A")) for _ in range(rng.randrange(4)))
    texts = (narrow, f"{narrow}/{tail}", narrow.upper(), f"/bin/{tail}", f"/run/{tail}", random_resource(rng))
    for text in texts:
        if path_inside(text, narrow):
            assert path_inside(text, wide) and path_touches(text, wide)


def random_policy(rng: random.Random) -> Loaded:
    """A policy whose rules are often alike, so that some never decide."""
    rules: list[dict[str, Any]] = []
    for i in range(rng.randint(2, 8)):
        made = json.loads(json.dumps(rng.choice(rules))) if rules and rng.random() < 0.5 else random_rule(rng)
        if rng.random() < 0.5 and made["match"]:
            del made["match"][rng.choice(list(made["match"]))]
        if rng.random() < 0.3:
            made["match"]["fields"] = {"size_bytes": {rng.choice(("gt", "lte")): rng.randint(-1, 2)}}
        if rng.random() < 0.3:
            made["effect"] = "deny"
            made.pop("modify", None)
        rules.append({**made, "id": f"r{i}", "message": "this is why"})
    policy = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "description": "Of a test."},
        "rules": rules,
        "cases": CASES,
    }
    names = [
        {"apiVersion": "praetor/v1", "kind": "Lists", "lists": {"payees": ["bob", "alice"]}},
        {"apiVersion": "praetor/v1", "kind": "Conditions", "conditions": {"cheap": "action.cost_usd < 1.5"}},
    ]
    text = "\n---\n".join(json.dumps(d, indent=1) for d in (policy, *names))
    return load_policies([("f", text.encode())])


def without(loaded: Loaded, rule: str) -> Content:
    (policy,) = loaded.policies
    kept = policy.model_copy(update={"rules": [r for r in policy.rules if r.id != rule]})
    return build_bundle([kept], loaded.detections, loaded.names).content


def named(finding: Finding, loaded: Loaded) -> str:
    """The rule that a finding speaks of, by its place."""
    (located,) = loaded.located()
    lines = [(located.node.find(("rules", i)).line, r.id) for i, r in enumerate(located.policy.rules)]
    return [rule for line, rule in lines if line <= finding.line][-1]


def try_world(seed: int) -> Counter[str]:
    rng = random.Random(seed)
    loaded = random_policy(rng)
    said = [f for f in lint_policies(loaded, ("PL401", "PL402")) if f.code in ("PL101", "PL103")]
    seen = Counter(f.code for f in said)
    if not said:
        return seen
    content = loaded.bundle().content
    explainer = Explainer(content, read_facts)
    index = make_index(content)
    rest = {f: make_index(without(loaded, named(f, loaded))) for f in said}
    for number in range(60):
        action, signals = random_action(rng, number * 1000, number), random_signals(rng)
        verdict = index.decide(action, signals).verdict
        accounts = {a.rule.id: a for a in explainer.account(action, signals, {})}
        for finding in said:
            rule = named(finding, loaded)
            if finding.code == "PL101":
                assert accounts[rule].status != "matched", finding
                continue
            assert verdict.reasons[0].rule != rule, finding
            assert rest[finding].decide(action, signals).verdict.effect is verdict.effect, finding
            seen["tried"] += accounts[rule].status != "unmatched"
    return seen


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_rule_that_never_decides_or_matches_never_does(seed: int) -> None:
    try_world(seed)


def test_such_rules_are_met() -> None:
    seen: Counter[str] = Counter()
    for seed in range(60):
        seen += try_world(seed)
    assert seen["PL101"] >= 3 and seen["PL103"] >= 20 and seen["tried"] >= 100, seen
