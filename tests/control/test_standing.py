"""What stands over the rules, without a broker: equal to orders looked at one by one; as cheap for many."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgement.judge import judge
from judgement.rules import compile_rules
from judgement.standing import NOTHING
from policies.outcome import DEFAULT
from runtime.errors import Malformed, Newer
from schemas.verdict import Effect, Reason, Severity, Verdict
from streams.orders import Order
from streams.standing import MOST_GRANTS, StandingOrders
from streams.standing_orders import order_id, payload
from tests.control.conftest import asking
from tests.control.naive import overruled
from tests.policies.builders import make_action

RULE = Reason("files", "rule", Effect.deny, "no")
ASK = RULE._replace(effect=Effect.require_approval)
VERDICTS = [
    Verdict(Effect.deny, reasons=(DEFAULT,), severity=Severity.low),
    Verdict(Effect.deny, reasons=(RULE, DEFAULT), severity=Severity.medium),
    Verdict(Effect.allow, reasons=(RULE._replace(effect=Effect.allow),)),
    Verdict(Effect.modify, reasons=(RULE._replace(effect=Effect.modify),)),
    Verdict(Effect.require_approval, reasons=(ASK,), approval_id="one"),
    Verdict(Effect.defer, reasons=(RULE._replace(effect=Effect.defer),)),
    Verdict(Effect.require_approval, reasons=(ASK,), errors=("files/rule: fell over",)),
    Verdict(Effect.require_approval, reasons=(ASK,), errors=("shadow/other: fell over",)),
]
TENANTS, AGENTS, SESSIONS = ("t1", "t2"), ("a1", "a2"), ("s1", "s2")
TOOLS, SERVERS = ("rm", "ls"), ("m1", "m2")
MOMENTS = range(2_000, 2_005)

some_tenant = st.sampled_from(TENANTS)
agents = st.fixed_dictionaries(
    {"kind": st.just("agent"), "tenant": some_tenant, "agent": st.sampled_from(AGENTS)}
)
sessions = st.builds(lambda a, s: {**a, "kind": "session", "session": s}, agents, st.sampled_from(SESSIONS))
tools = st.fixed_dictionaries(
    {"kind": st.just("tool"), "tool": st.sampled_from(TOOLS)},
    optional={"tool_server": st.sampled_from(SERVERS), "tenant": some_tenant},
)
anyone = st.one_of(
    st.just({"kind": "fleet"}),
    st.fixed_dictionaries({"kind": st.just("tenant"), "tenant": some_tenant}),
    agents,
    sessions,
    tools,
)
pattern = st.sampled_from(["read:*", "read:file", "*", "*:file", "write:?ile"])
denials = st.tuples(
    st.sampled_from(["kill", "quarantine"]),
    st.fixed_dictionaries(
        {"target": anyone, "reason": st.just("why")}, optional={"expires_at": st.sampled_from(MOMENTS)}
    ),
)
granted = st.fixed_dictionaries(
    {"target": agents | sessions | tools, "reason": st.just("why"), "expires_at": st.sampled_from(MOMENTS)},
    optional={
        "actions": st.lists(pattern, max_size=2),
        "resources": st.lists(st.sampled_from(["/a/*", "/a/b", "*"]), max_size=2),
        "through_quarantine": st.booleans(),
    },
).filter(
    lambda g: (
        "tenant" in g["target"] and not (g["target"]["kind"] == "tool" and g.get("through_quarantine", False))
    )
)
orders = st.lists(denials | st.tuples(st.just("grant"), granted), max_size=14)
actions = st.fixed_dictionaries(
    {
        "tenant": some_tenant,
        "agent_id": st.sampled_from(AGENTS),
        "session_id": st.sampled_from([None, *SESSIONS]),
        "tool": st.sampled_from([None, *TOOLS]),
        "tool_server": st.sampled_from([None, *SERVERS]),
        "action": st.sampled_from(["read:file", "write:file", "read:db"]),
        "resource": st.sampled_from(["/a/b", "/a/../c", "/a/%2e%2e/c", "x", ""]),
    }
)


def order(kind: str, number: int = 1, /, **said: Any) -> Order:
    return Order("log", kind, "me", number, payload(**said))


@settings(max_examples=1_000)
@given(
    orders, st.lists(st.integers(0, 20), max_size=6), st.lists(st.tuples(actions, st.sampled_from(MOMENTS)))
)
def test_it_equals_orders_looked_at_one_by_one(
    given_: list[tuple[str, dict[str, Any]]],
    released: list[int],
    seen: list[tuple[dict[str, Any], int]],
) -> None:
    fold = StandingOrders()
    for n, (kind, said) in enumerate(given_):
        fold.apply(order(kind, n, **said), n)
    for n, place in enumerate(released):
        standing = fold.given()
        if place < len(standing):
            one = standing[place].order
            fold.apply(order("release", n, order=one.id, reason="over"), 100 + n)
            assert one not in [g.order for g in fold.given()]
    left = [g.order for g in fold.given()]
    assert (fold.standing is NOTHING) == (not left)
    for fields, now in seen:
        action = make_action(now, **fields)
        for verdict in VERDICTS:
            made = fold.standing.overrule(action, verdict)
            effect, first = overruled(left, action, verdict)
            assert (made.effect, made.reasons) == (effect, first + verdict.reasons)
            assert made is fold.standing.overrule(make_action(now, **fields), verdict)
            assert (made is verdict) == (not first)
            if effect is Effect.deny and first:
                least = Severity.critical if first[0].rule == "kill" else Severity.high
                assert made.severity is max(least, verdict.severity) and made.approval_id is None


def test_a_lifted_verdict_keeps_what_it_lifted_and_a_rule_s_deny_is_never_lifted() -> None:
    rules = compile_rules(asking())
    fold = StandingOrders()
    target = {"kind": "agent", "tenant": "acme", "agent": "a1"}
    fold.apply(order("grant", target=target, reason="ok", expires_at=9_000), 7)
    under = type(rules)(rules.digest, rules.index, rules.detections, fold.standing)
    lifted = judge(make_action(5_000, action="write:x"), {}, under).verdict
    assert [(r.policy, r.rule, r.effect) for r in lifted.reasons] == [
        ("control", "grant", Effect.allow),
        ("bundle", "default", Effect.deny),
    ]
    assert lifted.effect is Effect.allow
    assert judge(make_action(9_000, action="write:x"), {}, under).verdict.effect is Effect.deny
    large = make_action(5_000, action="write:x", size_bytes=2_000)
    assert judge(large, {}, under).verdict.reasons[0].rule == "large"


AGENT = {"kind": "agent", "tenant": "t", "agent": "a"}
GRANT = {"target": AGENT, "reason": "r", "expires_at": 9}
SENSELESS: dict[str, tuple[str, dict[str, Any]]] = {
    "no target": ("kill", {"reason": "r"}),
    "no reason": ("kill", {"target": AGENT}),
    "a blank reason": ("kill", {"target": AGENT, "reason": "  "}),
    "a reason of lines": ("kill", {"target": AGENT, "reason": "a\nb"}),
    "a reason that is no text": ("kill", {"target": AGENT, "reason": "\ud800"}),
    "a name that is no text": ("kill", {"target": {**AGENT, "agent": "\ud800"}, "reason": "r"}),
    "a long reason": ("kill", {"target": AGENT, "reason": "r" * 501}),
    "half a target": ("kill", {"target": {"kind": "agent", "tenant": "t"}, "reason": "r"}),
    "a target with more": ("kill", {"target": {"kind": "fleet", "tenant": "t"}, "reason": "r"}),
    "an empty name": ("kill", {"target": {**AGENT, "agent": ""}, "reason": "r"}),
    "an unknown key": ("kill", {"target": AGENT, "reason": "r", "until": 9}),
    "an end that is a float": ("kill", {"target": AGENT, "reason": "r", "expires_at": 9.0}),
    "an end before the beginning": ("kill", {"target": AGENT, "reason": "r", "expires_at": 1}),
    "an end beyond all time": ("kill", {"target": AGENT, "reason": "r", "expires_at": 1 << 62}),
    "a grant without end": ("grant", {"target": AGENT, "reason": "r"}),
    "a grant to a tenant": ("grant", {**GRANT, "target": {"kind": "tenant", "tenant": "t"}}),
    "a grant of a tool everywhere": ("grant", {**GRANT, "target": {"kind": "tool", "tool": "x"}}),
    "a grant of a pattern that is none": ("grant", {**GRANT, "actions": ["a**"]}),
    "a tool through a quarantine": (
        "grant",
        {**GRANT, "target": {"kind": "tool", "tool": "x", "tenant": "t"}, "through_quarantine": True},
    ),
    "a release of nothing": ("release", {"reason": "r"}),
    "a release of two things": (
        "release",
        {"reason": "r", "order": "0" * 32, "target": AGENT, "kind": "kill"},
    ),
    "a release of what never was": ("release", {"reason": "r", "order": "0" * 32}),
    "a release where none stands": ("release", {"reason": "r", "target": AGENT, "kind": "grant"}),
    "too large": ("grant", {**GRANT, "resources": ["x" * 1000] * 90}),
}


@pytest.mark.parametrize("name", SENSELESS)
def test_an_order_that_makes_no_sense_changes_nothing(name: str) -> None:
    fold = StandingOrders()
    first = order("kill", target=AGENT, reason="first")
    fold.apply(first, 1)
    before = fold.standing
    kind, said = SENSELESS[name]
    with pytest.raises(Malformed):
        fold.apply(order(kind, 2, **said), 2)
    assert [g.order.id for g in fold.given()] == [order_id(first)]
    assert fold.standing is before


def test_what_a_newer_version_means_is_not_passed_over_and_what_a_wrong_key_signed_is() -> None:
    fold = StandingOrders()
    newer = json.dumps({"version": 2, "target": AGENT, "reason": "r", "mood": "bad"}).encode()
    with pytest.raises(Newer, match="kill order of version 2"):
        fold.apply(Order("log", "kill", "me", 1, newer), 1)
    for version in (None, 0, "1", True, 1.0):
        said = json.dumps({"version": version, "target": AGENT, "reason": "r"}).encode()
        with pytest.raises(Malformed):
            fold.apply(Order("log", "kill", "me", 1, said), 1)
    borrowed = payload(target=AGENT, reason="r")
    with pytest.raises(Malformed, match="a kill by 'boss' that 'clerk' signed"):
        fold.apply(Order("log", "kill", "boss", 1, borrowed, signed_by="clerk"), 1)


def test_all_of_a_kind_are_released_at_once_and_other_targets_stand_on() -> None:
    fold = StandingOrders()
    other = {**AGENT, "agent": "b"}
    for n, (kind, target) in enumerate(
        [("kill", AGENT), ("kill", AGENT), ("quarantine", AGENT), ("kill", other)]
    ):
        fold.apply(order(kind, n, target=target, reason="r"), n)
    fold.apply(order("release", 9, target=AGENT, kind="kill", reason="r"), 9)
    assert [(g.order.kind, g.order.offset) for g in fold.given()] == [("quarantine", 2), ("kill", 3)]


def test_grants_at_one_target_are_bounded_and_kills_are_not_looked_at_one_by_one() -> None:
    fold = StandingOrders()
    for n in range(MOST_GRANTS):
        fold.apply(order("grant", n, target=AGENT, reason="r", expires_at=500), n)
    with pytest.raises(Malformed, match="100 grants stand"):
        fold.apply(order("grant", 100, target=AGENT, reason="r", expires_at=500), 100)
    for n in range(10_000):
        fold.apply(order("kill", n, target={**AGENT, "agent": f"a{n % 100}"}, reason="r"), n)
    action = make_action(5, tenant="t", agent_id="a7")
    looked = [p for p in fold.standing._at(action) if p.kill]
    assert len(looked) == 1 and looked[0].kill is not None and looked[0].kill.offset == 7
