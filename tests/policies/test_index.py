"""The index against the naive evaluator, and what it promises beside."""

from collections import Counter
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.pattern import Kind, parse_pattern
from policies import candidates, compiled, dimension, index
from policies.bitset import bits, lowest
from policies.bundle import build_bundle
from policies.signals import Signals
from schemas.verdict import Effect, Severity
from tests.policies.builders import (
    make_action,
    make_content,
    make_index,
    make_policy,
)
from tests.policies.oracle import compare

SEEDS = st.integers(0, 2**64 - 1)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.sampled_from((1, 5, 40)))
def test_equals_the_naive_evaluator(seed: int, rules: int) -> None:
    compare(seed, rules, 120)


def test_the_comparison_meets_everything() -> None:
    seen: Counter[str] = Counter()
    for seed in range(24):
        seen += compare(seed, (2, 6, 80)[seed % 3], 60)
    met = ("allow", "deny", "modify", "defer", "require_approval", "errors", "limits", "modified", "default")
    assert min(seen[k] for k in (*met, "more")) >= 10, seen


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_emptied_memos_change_nothing(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dimension, "MEMO_ENTRIES", 2)
        patch.setattr(dimension, "MEMO_CHARACTERS", 4)
        patch.setattr(index, "OUTCOMES", 2)
        patch.setattr(candidates, "RULINGS", 1)
        patch.setattr(compiled, "OUTCOMES", 2)
        compare(seed, 20, 60)


def test_memos_stay_bounded() -> None:
    judged = make_index(
        make_content({"match": {"resources": ["/srv/*", "*x", "*9"], "agents": ["a*", "*7"]}})
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dimension, "MEMO_ENTRIES", 50)
        patch.setattr(index, "OUTCOMES", 8)
        for i in range(500):
            judged.decide(make_action(resource=f"/srv/{i}", agent_id=f"a{i}"))
        judged.decide(make_action(resource="/" * (dimension.MEMO_CHARACTERS + 1)))
        assert len(judged._resources) <= 50
        assert len(judged._agents) <= 50
        assert len(judged._outcomes) <= 8
        assert max(len(value or "") for value in judged._resources) <= dimension.MEMO_CHARACTERS


def test_like_outcomes_are_one_object() -> None:
    judged = make_index(make_content({"effect": "allow", "match": {"resources": ["/srv/*"]}}))
    first = judged.decide(make_action(resource="/srv/1")).verdict
    assert judged.decide(make_action(resource="/srv/2", agent_id="other")).verdict is first
    assert judged.decide(make_action(resource="/etc")).verdict is not first


def test_deny_wins_over_any_priority() -> None:
    judged = make_index(
        make_content({"effect": "allow", "priority": 1000}, {"effect": "deny", "priority": -1000})
    )
    verdict = judged.decide(make_action()).verdict
    assert verdict.effect is Effect.deny
    assert [r.rule for r in verdict.reasons] == ["r1", "r0"]


def test_priority_then_order_within_an_effect() -> None:
    judged = make_index(make_content({}, {"priority": 5}, {"priority": 5}, {"priority": -1}))
    assert [r.rule for r in judged.decide(make_action()).verdict.reasons] == ["r1", "r2", "r0", "r3"]


def test_silence_denies_and_says_so() -> None:
    verdict = make_index(build_bundle([]).content).decide(make_action()).verdict
    assert verdict.effect is Effect.deny
    assert verdict.reasons[0][:2] == ("bundle", "default")
    assert "no rule allows" in verdict.reasons[0].message
    assert verdict.severity is Severity.low


def test_a_cost_that_is_no_number_denies_with_an_error() -> None:
    judged = make_index(make_content({"effect": "allow", "match": {"fields": {"cost_usd": {"lte": 5}}}}))
    assert judged.decide(make_action(cost_usd=5.0)).verdict.effect is Effect.allow
    verdict = judged.decide(make_action(cost_usd=float("nan"))).verdict
    assert verdict.effect is Effect.deny
    assert verdict.errors == ("p/r0: cost_usd is nan, which cannot be compared with a number",)
    assert verdict.severity is Severity.high


def test_a_shadow_is_told_and_never_decides() -> None:
    allow = make_policy([{"effect": "allow"}], "open")
    shadow = make_policy(
        [{"severity": "critical", "tags": ["ASI02"]}, {"match": {"fields": {"cost_usd": {"gt": 1}}}}],
        "dark",
        "shadow",
    )
    judged = make_index(build_bundle([shadow, allow]).content)
    verdict = judged.decide(make_action(cost_usd=2.0)).verdict
    assert verdict.effect is Effect.allow
    assert verdict.reasons[0].policy == "open"
    assert verdict.reasons[1] == ("dark", "r0", Effect.deny, "shadow: m0")
    assert (verdict.severity, verdict.tags) == (Severity.informational, ())
    failed = judged.decide(make_action(cost_usd=float("nan"))).verdict
    assert failed.effect is Effect.allow
    assert len(failed.errors) == 1


def test_reasons_are_bounded_and_say_how_many_more() -> None:
    judged = make_index(make_content(*[{"match": {"actions": ["read:*"]}} for _ in range(100)]))
    reasons = judged.decide(make_action()).verdict.reasons
    assert len(reasons) == 17
    assert reasons[-1] == ("bundle", "more", Effect.unknown, "84 more rules matched")


def test_a_detection_is_seen_only_while_it_is_on() -> None:
    judged = make_index(make_content({"match": {"detections": ["denial-burst"]}}, {"effect": "allow"}))
    assert judged.decide(make_action()).verdict.effect is Effect.allow
    assert judged.decide(make_action(), Signals(on=1)).verdict.effect is Effect.deny
    assert judged.decide(make_action(), Signals(recent=1)).verdict.effect is Effect.allow
    assert judged.decide(make_action()).verdict.effect is Effect.allow


def test_what_no_rule_names_is_not_told_apart() -> None:
    judged = make_index(make_content({"match": {"recent_detections": ["denial-burst"]}}, {"effect": "allow"}))
    verdicts = {
        judged.decide(make_action(), Signals(on, recent)).verdict for on in (0, 1, 8) for recent in (0, 2)
    }
    assert [v.effect for v in verdicts] == [Effect.allow]
    assert judged.decide(make_action(), Signals(recent=3)).verdict.effect is Effect.deny


@settings(max_examples=400, deadline=None)
@given(
    st.text("ab/[]*?!-c", min_size=1, max_size=8), st.lists(st.text("ab/[]*?!-c\n", max_size=8), min_size=20)
)
def test_patterns_equal_matching_character_by_character(pattern: str, texts: list[str]) -> None:
    try:
        parsed = parse_pattern(pattern)
    except ValueError:
        return
    looked_up = dimension.Dimension([[pattern]])
    for text in [*texts, pattern, parsed.text, parsed.head + parsed.tail, parsed.head + "a\n" + parsed.tail]:
        assert bool(looked_up.hits(text)) == fnmatchcase(text, pattern), (pattern, text)


@pytest.mark.parametrize(
    ("text", "kind", "bare"),
    [
        ("read:file", Kind.exact, "read:file"),
        ("/srv/*", Kind.prefix, "/srv/"),
        ("*", Kind.prefix, ""),
        ("a[*]", Kind.exact, "a*"),
        ("what[?]*", Kind.prefix, "what?"),
        ("[[]::1]", Kind.exact, "[::1]"),
        ("*.env", Kind.glob, "*.env"),
        ("a?", Kind.glob, "a?"),
        ("[!a]*", Kind.glob, "[!a]*"),
    ],
)
def test_what_a_pattern_is(text: str, kind: Kind, bare: str) -> None:
    parsed = parse_pattern(text)
    assert (parsed.kind, parsed.text) == (kind, bare)


def test_a_hostile_text_does_not_make_a_glob_run_away() -> None:
    looked_up = dimension.Dimension([["*a*a*a*a*a*a*a*a*a*a*a*a*b"]])
    assert looked_up.hits("a" * 2000) == ()
    assert looked_up.hits("a" * 2000 + "b") == (0,)


def test_no_pattern_matches_an_absent_tool() -> None:
    judged = make_index(make_content({"effect": "allow", "match": {"tools": ["*"]}}))
    assert judged.decide(make_action(tool=None)).verdict.effect is Effect.deny
    assert judged.decide(make_action(tool="")).verdict.effect is Effect.allow


@settings(max_examples=200)
@given(st.sets(st.integers(0, 500)), st.integers(0, 600))
def test_places_of_a_bit_set(places: set[int], most: int) -> None:
    assert bits(places) == sum(1 << p for p in places)
    assert lowest(bits(places), most) == sorted(places)[:most]
