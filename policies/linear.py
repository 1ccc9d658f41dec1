"""The naive evaluator: every rule, one after the other. The oracle of the index, and as slow as it looks.

It shares the language's models with the index and nothing else.
"""

import math
from typing import NamedTuple

from policies.bundle import BundlePolicy, Content
from policies.model import Limits, Match, Rule
from schemas.action import Action
from schemas.verdict import Effect, Reason, Severity


class Decision(NamedTuple):
    """What the oracle says of an action: the parts of a verdict that the index must agree with."""

    effect: Effect
    reasons: tuple[Reason, ...]
    severity: Severity
    tags: tuple[str, ...]
    errors: tuple[str, ...]


def decide(content: Content, action: Action, active: frozenset[str] = frozenset()) -> Decision:
    """Judge an action by a bundle's policies; `active` are the detections that are on."""
    found: list[tuple[tuple[int, int], Reason, Rule | None, bool]] = []
    errors: list[tuple[tuple[int, int], str]] = []
    for policy in content.policies:
        shadow = policy.mode == "shadow"
        for rule in policy.rules:
            if not _matches(rule.match, action, active):
                continue
            odd = _odd_field(rule, action)
            if odd:
                why = f"{odd} is {action.get(odd)!r}, which cannot be compared with a limit"
                place = (2 * shadow + (rule.effect == "allow"), -rule.priority)
                errors.append((place, f"{policy.name}/{rule.id}: {why}"))
                if not shadow:
                    said = Reason(policy.name, rule.id, Effect.deny, f"the rule could not be judged: {why}")
                    found.append(((1, place[0] * 10_000 + place[1]), said, rule, True))
            elif _within_limits(rule, action):
                found.append(_entry(policy, rule, shadow))
    if not any(place[0] < 3 for place, *_ in found):
        found.append(((2, 0), DEFAULT, None, False))
    found.sort(key=lambda entry: entry[0])
    errors.sort(key=lambda entry: entry[0])
    return _conclude(found, [text for _, text in errors])


DEFAULT = Reason(
    "bundle", "default", Effect.deny, "no rule allows this action, and what no rule allows is denied"
)


def _entry(
    policy: BundlePolicy, rule: Rule, shadow: bool
) -> tuple[tuple[int, int], Reason, Rule | None, bool]:
    """Groups: 0 denials, 1 failures, 2 allowances and the default, 3 shadow denials, 4 shadow allowances."""
    if shadow:
        said = Reason(policy.name, rule.id, Effect[rule.effect], f"shadow: {rule.message}")
        return (3 if rule.effect == "deny" else 4, -rule.priority), said, rule, False
    said = Reason(policy.name, rule.id, Effect[rule.effect], rule.message)
    return (0 if rule.effect == "deny" else 2, -rule.priority), said, rule, False


def _conclude(found: list[tuple[tuple[int, int], Reason, Rule | None, bool]], errors: list[str]) -> Decision:
    worst = Severity.unknown
    tags: list[str] = []
    for i, (place, _, rule, failed) in enumerate(found):
        if place[0] >= 3:
            continue
        worst = max(worst, Severity.high if failed else _severity(rule))
        for tag in rule.tags if rule else []:
            if i < 16 and tag not in tags:
                tags.append(tag)
    reasons = [said for _, said, _, _ in found[:16]]
    if len(found) > 16:
        reasons.append(Reason("bundle", "more", Effect.unknown, f"{len(found) - 16} more rules matched"))
    if len(errors) > 16:
        errors = [*errors[:16], f"{len(errors) - 16} more rules could not be judged"]
    return Decision(found[0][1].effect, tuple(reasons), worst, tuple(tags), tuple(errors))


def _severity(rule: Rule | None) -> Severity:
    if rule is None:
        return Severity.low
    return Severity[rule.severity or ("informational" if rule.effect == "allow" else "medium")]


def _matches(match: Match, action: Action, active: frozenset[str]) -> bool:
    pairs = (
        (match.tenants, action.tenant),
        (match.agents, action.agent_id),
        (match.actions, action.action),
        (match.resources, action.resource),
        (match.tools, action.tool),
    )
    for patterns, value in pairs:
        if patterns is not None and (value is None or not any(glob(p, value) for p in patterns)):
            return False
    return match.detections is None or any(d in active for d in match.detections)


def _odd_field(rule: Rule, action: Action) -> str | None:
    fields = rule.match.fields
    for name in ("input_tokens", "output_tokens", "cost_usd", "size_bytes") if fields else ():
        if getattr(fields, name) is not None and math.isnan(action.get(name)):
            return name
    return None


def _within_limits(rule: Rule, action: Action) -> bool:
    fields = rule.match.fields
    if fields is None:
        return True
    limits: list[tuple[Limits, float]] = [
        (limit, action.get(name)) for name, limit in fields if limit is not None
    ]
    return all(
        (limit.gt is None or value > limit.gt)
        and (limit.gte is None or value >= limit.gte)
        and (limit.lt is None or value < limit.lt)
        and (limit.lte is None or value <= limit.lte)
        and (limit.eq is None or value == limit.eq)
        and (limit.neq is None or value != limit.neq)
        for limit, value in limits
    )


def glob(pattern: str, text: str) -> bool:
    """Match a pattern character by character: all places of the text that the pattern so far can reach."""
    reached = {0}
    at = 0
    while at < len(pattern):
        char, at = pattern[at], at + 1
        if char == "*":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        elif char == "[":
            end = pattern.index("]", at + (pattern[at] == "!"))
            reached = {i + 1 for i in reached if i < len(text) and _in_set(pattern[at:end], text[i])}
            at = end + 1
        else:
            reached = {i + 1 for i in reached if i < len(text) and char in ("?", text[i])}
    return len(text) in reached


def _in_set(body: str, char: str) -> bool:
    if body[0] == "!":
        return not _in_set(body[1:], char)
    while body:
        if len(body) > 2 and body[1] == "-":
            if body[0] <= char <= body[2]:
                return True
            body = body[3:]
        elif body[0] == char:
            return True
        else:
            body = body[1:]
    return False
