"""Rules of governance.toolkit/v1 as rules of ours."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from documents.node import Node
from policies.imports.agt_cel import to_match
from policies.imports.agt_condition import Condition, NotCarried, disjoint, parse_condition
from policies.imports.remarks import Remark, line_of, slug

KEYS = ("name", "description", "stage", "condition", "action", "limit", "approvers", "priority", "enabled")
STAGES = {"pre_tool": "call", "pre_input": "prompt", "post_tool": "result"}
EFFECTS = {
    "allow": "allow",
    "deny": "deny",
    "require_approval": "require_approval",
    "rate_limit": "allow",
    "warn": "allow",
    "log": "allow",
}
SECONDS = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d"}
SEVERITIES = {"deny": "medium", "require_approval": "medium"}
LARGEST_PRIORITY = 1000
_LIMIT = re.compile(r"\s*(\d{1,15})\s*/\s*(second|minute|hour|day)\s*\Z", re.I)


class Read(NamedTuple):
    """A rule that was carried over.

    Attributes:
        name: its name in the toolkit.
        line: where it stands.
        condition: what the toolkit asks.
        effect: ours.
        priority: the toolkit's.
        rules: ours: one, and one more for its limit.
    """

    name: str
    line: int
    condition: Condition
    effect: str
    priority: float
    rules: list[dict[str, Any]]


@dataclass
class Rules:
    """The rules of a document, as they are read."""

    read: list[Read] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)


def read_rules(node: Node, agents: list[str]) -> Rules:
    """All rules of a document, and what could not be carried over.

    Args:
        node: the document.
        agents: patterns of the agents it is for; none for all.
    """
    found = Rules()
    for i, child in node.find(("rules",)).children.items():
        rule = child.value
        if not isinstance(rule, dict):
            found.remarks.append(
                Remark(child.line, f"rule {i}", "no mapping, so no rule; the rule is left out")
            )
            continue
        name = str(rule.get("name", f"rule {i}"))
        found.remarks += [
            Remark(line, f"rule {name}, key {key}", "the toolkit has no such key and passes over it")
            for key, (line, _) in child.keys.items()
            if key not in KEYS
        ]
        try:
            found.read.append(_read_rule(name, child, agents, found))
        except NotCarried as why:
            at = child.keys.get("condition", (child.line, 0))[0]
            found.remarks.append(Remark(at, f"rule {name}", f"{why}; the rule is left out"))
    found.remarks += _conflicts(found.read)
    return found


def _read_rule(name: str, node: Node, agents: list[str], found: Rules) -> Read:
    rule = node.value
    action, stage = str(rule.get("action", "deny")), rule.get("stage", "pre_tool")
    if rule.get("enabled", True) is not True:
        raise NotCarried("it is not enabled, so it does nothing")
    if action not in EFFECTS:
        raise NotCarried(f"unknown action {action[:40]!r}")
    if stage not in STAGES:
        raise NotCarried(
            f"the stage {str(stage)[:40]!r} has no counterpart: what an agent says is no action here"
        )
    if not isinstance(rule.get("condition"), str):
        raise NotCarried("its condition is no text")
    condition = parse_condition(rule["condition"])
    match, when = to_match(condition)
    priority = _priority(rule.get("priority", 0), name, node, found)
    made: dict[str, Any] = {
        "id": slug(name, found.taken),
        "effect": EFFECTS[action],
        "priority": max(-LARGEST_PRIORITY, min(LARGEST_PRIORITY, int(priority))),
        "match": {**({"agents": agents} if agents else {}), **match, "phases": [STAGES[stage]]},
        **({"when": when} if when else {}),
        **({"severity": SEVERITIES[action]} if action in SEVERITIES else {}),
        "message": " ".join(str(rule.get("description") or f"the rule {name} of the toolkit").split())[:1000],
    }
    _say_effect(action, name, node, made, found)
    limited = _limit(name, node, made, found)
    return Read(name, node.line, condition, made["effect"], priority, [made, *limited])


def _priority(value: Any, name: str, node: Node, found: Rules) -> float:
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotCarried(f"its priority {str(value)[:40]!r} is no whole number")
    if abs(value) > LARGEST_PRIORITY:
        told = f"here it lies between -{LARGEST_PRIORITY} and {LARGEST_PRIORITY}, and only orders reasons"
        found.remarks.append(Remark(line_of(node, "priority"), f"rule {name}, priority", told, lost=False))
    return value


def _say_effect(action: str, name: str, node: Node, made: dict[str, Any], found: Rules) -> None:
    if action in ("warn", "log"):
        made["severity"] = "low" if action == "warn" else "informational"
        made["tags"] = [f"agt:{action}"]
        told = (
            f"there is no effect {action}: the rule allows, and its decisions carry the tag agt:{action}"
            " (the toolkit allows it in .NET and refuses it in Python)"
        )
        found.remarks.append(Remark(line_of(node, "action"), f"rule {name}, action {action}", told))
    approvers = node.value.get("approvers") or []
    if approvers:
        told = "who may approve is not said in a policy here; they are named in the rule's runbook"
        found.remarks.append(Remark(line_of(node, "approvers"), f"rule {name}, approvers", told))
        made["runbook"] = " ".join(f"Approvers: {', '.join(map(str, approvers))}".split())[:1000]


def _limit(name: str, node: Node, made: dict[str, Any], found: Rules) -> list[dict[str, Any]]:
    """The rule beyond the limit of a rule."""
    value, what = node.value.get("limit"), f"rule {name}, limit"
    line = line_of(node, "limit")
    if value is None:
        if node.value.get("action") == "rate_limit":
            raise NotCarried("it limits a rate and says none")
        return []
    limit = _LIMIT.match(str(value))
    if limit is None:
        raise NotCarried(f"its limit {str(value)[:40]!r} is none, as 100/hour would be")
    if made["effect"] == "deny":
        found.remarks.append(Remark(line, what, "what is denied anyway needs no limit", lost=False))
        return []
    if made["effect"] == "require_approval":
        found.remarks.append(Remark(line, what, "a limit here counts what is allowed, not what asks"))
        return []
    told = "counted for each agent, in a window that slides instead of beginning anew"
    found.remarks.append(Remark(line, what, told, lost=False))
    beyond: dict[str, Any] = {key: made[key] for key in ("priority", "match", "when") if key in made}
    calls, period = int(limit[1]), limit[2].lower()
    return [
        {
            "id": slug(f"{made['id']}-limit", found.taken),
            "effect": "deny",
            **beyond,
            "limit": {"calls": float(calls), "window": SECONDS[period]},
            "severity": "medium",
            "message": f"{name}: at most {calls} a {period}",
        }
    ]


def _conflicts(read: Sequence[Read]) -> list[Remark]:
    """Pairs of rules of which the toolkit lets the weaker effect win by its priority."""
    strength = {"allow": 0, "require_approval": 1, "deny": 2}
    found = []
    for i, one in enumerate(read):
        for j, other in enumerate(read):
            first = one.priority > other.priority or (one.priority == other.priority and i < j)
            weaker = strength[one.effect] < strength[other.effect]
            if first and weaker and not disjoint(one.condition, other.condition):
                told = (
                    f"where {other.name} matches too, the toolkit (unless set to deny_overrides) lets this"
                    f" rule win by its priority; here {other.effect} wins always: make {other.name} narrower"
                )
                found.append(Remark(one.line, f"rule {one.name}, priority", told))
    return found
