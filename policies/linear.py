"""The naive evaluator: every rule, one after the other. The oracle of the index, and as slow as it looks.

It shares the language's models with the index, CEL, edits and what lies within a path or host; nothing else.
Patterns are matched by the standard library's fnmatch, whose notation ours is a part of.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from policies.arguments import parse_arguments
from policies.bundle import BundlePolicy, Content
from policies.cel import LONGS, TEXTS, activate, compile_condition, holds
from policies.edits import apply_edits
from policies.errors import Unjudgeable
from policies.hosts import host_inside, host_touches
from policies.paths import path_inside, path_touches
from policies.rule import Match, Rule, seconds
from policies.signals import Signals, names_of
from schemas.action import Action
from schemas.verdict import Effect, Reason, Severity

ORDER = ("deny", "defer", "require_approval", "modify", "allow")
DEFAULT = Reason(
    "bundle", "default", Effect.deny, "no rule allows this action, and what no rule allows is denied"
)


class Past(NamedTuple):
    """What the oracle is told of what was before.

    Attributes:
        facts: what conditions see of agent and session, by whole name.
        allowed: the agent's earlier actions that counted, each with the limits' names it counted for.
    """

    facts: Mapping[str, int]
    allowed: Sequence[tuple[Action, frozenset[str]]] = ()


class Active(NamedTuple):
    """What detections say of the action, by their names."""

    on: frozenset[str]
    recent: frozenset[str]
    risk: float


class Decision(NamedTuple):
    """What the oracle says of an action: what the index must agree with."""

    effect: Effect
    reasons: tuple[Reason, ...]
    severity: Severity
    tags: tuple[str, ...]
    errors: tuple[str, ...]
    modified_arguments: str | None
    left: dict[str, float]
    """What each limit that speaks of the action still has, this action not counted."""


class Said(NamedTuple):
    """What one rule says; place sorts."""

    place: tuple[int, bool, int]
    reason: Reason
    rule: Rule
    why: str


def decide(content: Content, action: Action, signals: Signals, past: Past) -> Decision:
    """Judge an action by a bundle's policies; `signals` are what detections say of it."""
    on, recent = (frozenset(names_of(content.names, bits)) for bits in signals[:2])
    active = Active(on, recent, signals.risk)
    said: list[Said] = []
    left: dict[str, float] = {}
    for policy in content.policies:
        for rule in policy.rules:
            if not _matches(rule, action, active):
                continue
            try:
                if _demands(content, policy, rule, action, active, past, left):
                    said.append(_entry(policy, rule))
            except Unjudgeable as error:
                said.append(_entry(policy, rule, str(error)))
    arguments = action.arguments
    effect = _strongest(said)
    for one in sorted(said, key=lambda s: s.place):
        if effect != "deny" and not one.why and one.place[0] < 9 and one.rule.modify:
            try:
                arguments = apply_edits(one.rule.modify, parse_arguments(arguments))
            except Unjudgeable as error:
                policy = next(p for p in content.policies if p.name == one.reason.policy)
                said[said.index(one)] = _entry(policy, one.rule, str(error))
    edited = any(s.rule.modify and not s.why and s.place[0] < 9 for s in said)
    return _conclude(said, arguments if edited and _strongest(said) != "deny" else None, left)


def _strongest(said: list[Said]) -> str:
    enforced = [s for s in said if s.place[0] < 9]
    return min(enforced, key=lambda s: s.place).reason.effect.name if enforced else "deny"


def _entry(policy: BundlePolicy, rule: Rule, why: str = "") -> Said:
    """Within one effect: rules that matched, then failures, each by priority. Shadow policies come last."""
    shadow = policy.mode == "shadow"
    effect = rule.on_error if why else rule.effect
    told = f"the rule could not be judged: {why}" if why else rule.message
    reason = Reason(policy.name, rule.id, Effect[effect], f"shadow: {told}" if shadow else told)
    group = ORDER.index(effect) + 10 * shadow
    own = ORDER.index(rule.effect) * 10_000 - rule.priority if why else -rule.priority
    return Said((group, bool(why), own), reason, rule, why)


def _conclude(said: list[Said], modified: str | None, left: dict[str, float]) -> Decision:
    failed = sorted(
        (s for s in said if s.why),
        key=lambda s: (s.place[0] >= 9, ORDER.index(s.rule.effect), -s.rule.priority),
    )
    said = sorted(said, key=lambda s: s.place)
    told = [s for s in said if not (s.why and s.place[0] >= 9)]
    silent = not any(s.place[0] < 9 for s in told)
    reasons = ([DEFAULT] if silent else []) + [s.reason for s in told]
    worst = Severity.low if silent else Severity.unknown
    tags: list[str] = []
    for i, s in enumerate(told):
        if s.place[0] < 9:
            worst = max(worst, Severity.high if s.why else _severity(s.rule))
            tags += [tag for tag in s.rule.tags if i + silent < 16 and tag not in tags]
    named = tuple(reasons[:16])
    if len(reasons) > 16:
        named += (Reason("bundle", "more", Effect.unknown, f"{len(reasons) - 16} more rules matched"),)
    errors = [f"{s.reason.policy}/{s.reason.rule}: {s.why}" for s in failed]
    if len(errors) > 16:
        errors = [*errors[:16], f"{len(errors) - 16} more rules could not be judged"]
    return Decision(reasons[0].effect, named, worst, tuple(tags), tuple(errors), modified, left)


def _severity(rule: Rule) -> Severity:
    return Severity[rule.severity or ("informational" if rule.effect == "allow" else "medium")]


def _matches(rule: Rule, action: Action, active: Active) -> bool:
    match = rule.match
    texts = (
        (match.tenants, action.tenant), (match.agents, action.agent_id), (match.actions, action.action),
        (match.resources, action.resource), (match.tools, action.tool), (match.models, action.get("model")),
        (match.tool_servers, action.get("tool_server")), (match.phases, action.get("phase")),
        *((patterns, action.get("labels").get(name)) for name, patterns in (match.labels or {}).items()),
    )  # fmt: skip
    for patterns, value in texts:
        if patterns is not None and (value is None or not any(fnmatchcase(value, str(p)) for p in patterns)):
            return False
    return (
        _lies_within(rule, match, action.resource)
        and (match.detections is None or any(d in active.on for d in match.detections))
        and (match.recent_detections is None or any(d in active.recent for d in match.recent_detections))
    )


def _lies_within(rule: Rule, match: Match, resource: str) -> bool:
    allow = rule.effect == "allow"
    path, host = (path_inside, host_inside) if allow else (path_touches, host_touches)
    return (match.paths is None or any(path(resource, str(p)) for p in match.paths)) and (
        match.hosts is None or any(host(resource, str(h)) for h in match.hosts)
    )


def _demands(
    content: Content, policy: BundlePolicy, rule: Rule, action: Action, active: Active, past: Past,
    left: dict[str, float],
) -> bool:  # fmt: skip
    held = _compares(rule, action)
    if not held or (rule.when is not None and not _condition(content, rule, action, active, past.facts)):
        return False
    if rule.limit is None:
        return True
    name = f"{policy.name}/{rule.id}"
    amount, most = rule.limit.amount()
    same = [a for a, names in past.allowed if name in names and _counts(rule, a, action)]
    used, more = sum(_amount(amount, a) for a in same), _amount(amount, action)
    most = math.floor(most * 1_000_000) if amount == "cost_usd" else math.floor(most)
    left[name] = max(most - used, 0) / (1_000_000 if amount == "cost_usd" else 1)
    return used >= most or used + more > most


def _compares(rule: Rule, action: Action) -> bool:
    held = True
    for name, numbers in rule.match.fields or ():
        value = action.get(name)
        if numbers is not None and math.isnan(value):
            raise Unjudgeable(f"{name} is {value!r}, which cannot be compared with a number")
        for operator, number in numbers or ():
            if number is not None:
                told = {"gt": value > number, "gte": value >= number, "lt": value < number}
                told |= {"lte": value <= number, "eq": value == number, "neq": value != number}
                held = held and told[operator]
    return held


def _condition(
    content: Content, rule: Rule, action: Action, active: Active, facts: Mapping[str, int]
) -> bool:
    program = compile_condition(rule.condition(), tuple(content.lists))
    values: dict[str, Any] = {f"action.{name}": action.get(name) or "" for name in TEXTS}
    values |= {f"action.{name}": action.get(name) for name in (*LONGS, "cost_usd", "labels")}
    values |= {f"lists.{name}": entries for name, entries in content.lists.items()}
    values |= {**facts, "detections": sorted(active.on), "recent_detections": sorted(active.recent)}
    values["risk"] = active.risk
    values["time"] = datetime.fromtimestamp(action.received_at / 1000, UTC)
    if "args" in program.names:
        values["args"] = parse_arguments(action.arguments)
    return holds(program, activate(values, tuple(content.lists)))


def _counts(rule: Rule, earlier: Action, action: Action) -> bool:
    """Whether an earlier action still counts in this one's window, by the text of `policies.limits`."""
    limit = rule.limit
    if limit is None or (limit.per == "session" and (earlier.session_id or "") != (action.session_id or "")):
        return False
    if limit.per == "tool" and (earlier.tool or "") != (action.tool or ""):
        return False
    if limit.window is not None:
        slot = math.ceil(seconds(limit.window) * 1000 / 60)
        return (earlier.received_at // slot + 61) * slot > action.received_at
    then, now = (datetime.fromtimestamp(a.received_at / 1000, UTC) for a in (earlier, action))
    units: dict[str, tuple[Any, Any]] = {
        "hour": (
            then.replace(minute=0, second=0, microsecond=0),
            now.replace(minute=0, second=0, microsecond=0),
        ),
        "day": (then.date(), now.date()),
        "week": (_week(then.date()), _week(now.date())),
        "month": ((then.year, then.month), (now.year, now.month)),
    }
    before, here = units[limit.calendar or "day"]
    return bool(before == here)


def _week(day: date) -> tuple[int, int]:
    return day.isocalendar()[:2]


def _amount(name: str, action: Action) -> int:
    if name == "calls":
        return 1
    if name == "cost_usd":
        cost = action.get("cost_usd")
        if not math.isfinite(cost):
            raise Unjudgeable(f"cost_usd is {cost!r}, which cannot be counted")
        return int(max(math.ceil(cost * 1_000_000), 0))
    fields = ("input_tokens", "output_tokens") if name == "tokens" else ("size_bytes",)
    return sum(max(int(action.get(field)), 0) for field in fields)
