"""Policies, actions and whole random worlds of both, for tests."""

import math
import random
import uuid
from typing import Any

from judgement.facts import read_facts
from policies.bundle import Content, build_bundle
from policies.index import Index
from policies.model import Policy
from policies.resolve import Vocabulary
from policies.signals import QUIET, Signals
from schemas.action import Action, read_action
from schemas.codec import encode

TENANTS = ("acme", "umbrella")
AGENTS = ("a1", "a2", "b1")
ACTIONS = ("read:file", "write:file", "exec:shell")
PARTS = ("/", "a", "b", ".env", "srv")
TOOLS = (None, "grep", "grab", "[x]")
FIELDS = ("input_tokens", "output_tokens", "cost_usd", "size_bytes")
OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")
ARGUMENTS = (
    None,
    '{"to": "bob", "amount": 5}',
    '{"to": "eve", "amount": 500.5, "rows": [{"email": "a"}, {"email": "b"}]}',
    '{"to": 7, "amount": "much"}',
    '{"amount": 123456789012345678901234567890}',
    '{"to": "bob", "to": "eve"}',
    "[1]",
    "{",
)
CONDITIONS: tuple[Any, ...] = (
    "args.amount > 100",
    "has(args.to) && args.to in lists.payees",
    "action.cost_usd >= 1.0 || action.tool == 'grep'",
    "agent.actions > 3 && agent.denials > 1",
    "session.actions >= 2",
    "'denial-burst' in detections",
    "'source-gap' in recent_detections || risk > 0.5",
    "time.getHours() < 12",
    "action.labels.env == 'prod'",
    ["args.size() > 1", "conditions.cheap"],
    "path_touches(action.resource, '/srv')",
)
LIMITS: tuple[Any, ...] = (
    {"calls": 3, "window": "10m"},
    {"calls": 2, "per": "session", "calendar": "hour"},
    {"calls": 1, "per": "tool", "calendar": "day"},
    {"tokens": 4, "window": "2h"},
    {"cost_usd": 2.5, "calendar": "week"},
    {"bytes": 5, "calendar": "month"},
)
EDITS: tuple[Any, ...] = (
    {"redact": "to"},
    {"remove": "rows.*.email"},
    {"clamp": "amount", "max": 100},
    {"replace": "to", "value": "nobody"},
)
NAMES = Vocabulary({"payees": ["bob", "alice"]}, {"cheap": "action.cost_usd < 1.5"})
COSTS = (0.0, 1.0, 2.0, -1.0, math.inf, math.nan)


def make_action(received_at: int = 0, number: int = 1, **fields: Any) -> Action:
    """An action as a worker has it; `number` makes its event id."""
    record = {
        "event_id": str(uuid.UUID(int=number)),
        "tenant": "acme",
        "agent_id": "a1",
        "occurred_at": 0,
        "action": "read:file",
        **fields,
    }
    return read_action(encode("action_event", record), received_at)


def make_policy(rules: list[dict[str, Any]], name: str = "p", mode: str = "enforce") -> Policy:
    """A policy of some rules, each with what a test does not care for filled in."""
    whole = [
        {"id": f"r{i}", "effect": "deny", "match": {}, "message": f"m{i}", **r} for i, r in enumerate(rules)
    ]
    cases = [{"name": e, "expect": e, "action": {"action": "x"}} for e in ("allow", "deny")]
    document = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": name, "description": "of a test"},
        "mode": mode,
        "rules": whole,
        "cases": cases,
    }
    return Policy.model_validate(document)


def make_index(content: Content) -> Index:
    """The index of a bundle, as judgement makes it."""
    return Index(content, read_facts)


def make_content(*rules: dict[str, Any]) -> Content:
    """A bundle's content with one policy."""
    return build_bundle([make_policy(list(rules))]).content


def random_pattern(rng: random.Random, words: tuple[str | None, ...]) -> str:
    """A pattern that often matches one of some words: exact, prefix or glob."""
    word = rng.choice([w for w in words if w])
    kind = rng.randrange(6)
    if kind == 0:
        return "*"
    if kind <= 2:
        return word.replace("[", "[[]")
    at = rng.randrange(len(word) + 1)
    head, tail = word[:at].replace("[", "[[]"), word[at:].replace("[", "[[]")
    if kind == 3:
        return head + "*"
    middle = rng.choice(("*", "?", "[a-f]", "[!a]", "*?", "?*", "[/.]", "[ab-]"))
    return f"{head}{middle}{tail[rng.randrange(2) :] if tail[:1] != '[' else tail}"


def random_resource(rng: random.Random) -> str:
    """A path of few parts, so that patterns meet it."""
    return "".join(rng.choice(PARTS) for _ in range(rng.randrange(6)))


def random_match(rng: random.Random) -> dict[str, Any]:
    """What a rule speaks of; each part is often missing."""
    resources = tuple(random_resource(rng) for _ in range(3))
    words: dict[str, tuple[str | None, ...]] = {
        "tenants": TENANTS,
        "agents": AGENTS,
        "actions": ACTIONS,
        "resources": (*resources, "/srv"),
        "tools": TOOLS,
    }
    match: dict[str, Any] = {}
    for key, choices in words.items():
        if rng.random() < 0.4:
            match[key] = [random_pattern(rng, choices) for _ in range(rng.randint(1, 3))]
    seldom: dict[str, Any] = {
        "paths": ["/srv", "/a/b"],
        "hosts": ["example.com", "10.0.0.0/8"],
        "phases": ["call", "result"],
        "models": ["m*"],
        "tool_servers": ["files", "web?"],
        "labels": {"env": ["prod", "t*"]},
    }
    match |= {key: value for key, value in seldom.items() if rng.random() < 0.05}
    if rng.random() < 0.1:
        match["detections"] = ["denial-burst"]
    if rng.random() < 0.05:
        match["recent_detections"] = ["source-gap", "denial-burst"]
    if rng.random() < 0.25:
        names = rng.sample(FIELDS, rng.randint(1, 2))
        match["fields"] = {
            n: {op: rng.randint(-1, 2) for op in rng.sample(OPERATORS, rng.randint(1, 2))} for n in names
        }
    return match


def random_rule(rng: random.Random) -> dict[str, Any]:
    """A rule of any effect; some have conditions, limits or edits, some of those fail."""
    effect = rng.choice(("allow", "allow", "deny", "modify", "require_approval", "defer"))
    rule: dict[str, Any] = {
        "effect": effect,
        "priority": rng.randint(-2, 2),
        "match": random_match(rng),
        "tags": rng.sample(["ASI01", "ASI02", "ASI03"], rng.randrange(3)),
    }
    if rng.random() < 0.5:
        rule["severity"] = rng.choice(("low", "high", "critical"))
    if rng.random() < 0.3:
        rule["when"] = rng.choice(CONDITIONS)
    if rng.random() < 0.3:
        rule["on_error"] = rng.choice(("deny", "defer", "require_approval"))
    if effect in ("deny", "defer", "require_approval") and rng.random() < 0.25:
        rule["limit"] = rng.choice(LIMITS)
    if effect == "modify":
        rule["modify"] = rng.sample(EDITS, rng.randint(1, 2))
    return rule


def random_content(rng: random.Random, rules: int) -> Content:
    """A bundle of a few policies, some in shadow, that share so many rules."""
    policies = []
    for p in range(rng.randint(1, 3)):
        made = [random_rule(rng) for _ in range(rng.randint(1, rules))]
        policies.append(make_policy(made, f"p{p}", rng.choice(("enforce", "enforce", "shadow"))))
    return build_bundle(policies, names=NAMES).content


def random_action(rng: random.Random, received_at: int = 0, number: int = 1) -> Action:
    """An action that random rules often match."""
    return make_action(
        received_at,
        number + 1,
        tenant=rng.choice(TENANTS),
        agent_id=rng.choice(AGENTS),
        action=rng.choice(ACTIONS),
        resource=random_resource(rng),
        tool=rng.choice(TOOLS),
        input_tokens=rng.randint(-1, 2),
        output_tokens=rng.randint(-1, 2),
        cost_usd=rng.choice(COSTS),
        size_bytes=rng.randint(-1, 2),
        session_id=rng.choice((None, "s1", "s2")),
        phase=rng.choice(("call", "call", "result", "prompt")),
        model=rng.choice((None, "m1", "n1")),
        tool_server=rng.choice((None, "files", "web1")),
        labels=rng.choice(({}, {"env": "prod"}, {"env": "test", "team": "x"})),
        arguments=rng.choice(ARGUMENTS[: rng.choice((3, 3, 3, len(ARGUMENTS)))]),
    )


def random_signals(rng: random.Random) -> Signals:
    """What detections say, mostly nothing."""
    if rng.random() < 0.6:
        return QUIET
    return Signals(rng.choice((0, 1, rng.randrange(16))), rng.choice((0, rng.randrange(16))), rng.random())
