"""Restrictions written as text that a place, written in another way, escapes."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from policies.index import Index
from policies.linting.cover import sample
from policies.linting.finding import Finding
from policies.linting.ground import Ground, Written
from policies.rule import Rule
from policies.sight import Cells
from policies.types import REFUSALS
from schemas.action import Action, read_action
from schemas.codec import encode
from schemas.verdict import Effect

_PATH = re.compile(r"/(?!\*?\Z)|~/|\.{1,2}/|[A-Za-z]:[/\\]")
_URL = re.compile(r"(?:https?|http\*|wss?|ftp)://", re.I)
_NO_PLACE = re.compile(r"(?:exec|call|chat|delegate|close):")
FILLER = "x"


def find_notations(ground: Ground) -> Iterator[Finding]:
    """PL105 where an action that escapes was found and is allowed, else PL104; once a rule."""
    index = Index(ground.content, _nothing)
    tried = {r.written.name for r in ground.in_force if r.enforced}
    for written in ground.written.values():
        places = _places(written.resolved)
        if not places:
            continue
        kind = "hosts" if _URL.match(places[0]) else "paths"
        proof = _escape(index, written, places) if written.name in tried else None
        if proof is None:
            told = f"{places[0]!r} is compared as it is written, and can be written otherwise; use '{kind}:'"
            yield written.find("PL104", told, "match", "resources")
        else:
            told = (
                f"{proof[0]!r} is the same place, escapes this rule, and {proof[1]} allows it; use '{kind}:'"
            )
            yield written.find("PL105", told, "match", "resources")


def _nothing(_action: Action, _cells: Cells) -> dict[str, int]:
    """What conditions see of an agent that has done nothing."""
    return {
        f"{h}.{n}": 0
        for h in ("agent", "session")
        for n in ("actions", "denials", "age_seconds", "idle_seconds")
    }


def _places(rule: Rule) -> list[str]:
    """The resources of a restricting rule that look like paths or URLs."""
    match = rule.match
    actions = [str(a) for a in match.actions or ()]
    if rule.effect not in REFUSALS or match.paths or match.hosts:
        return []
    if actions and all(_NO_PLACE.match(a) for a in actions):
        return []
    return [str(r) for r in match.resources or () if _PATH.match(str(r)) or _URL.match(str(r))]


def _escape(index: Index, written: Written, places: list[str]) -> tuple[str, str] | None:
    """Another way to write one of the places, and the rule that allows it; None where none was found."""
    rule = written.resolved
    if rule.when is not None or rule.limit or rule.match.fields:
        return None
    if rule.match.detections or rule.match.recent_detections:
        return None
    for place in places:
        text = sample(place, FILLER)
        if index.decide(_action(rule, text)).verdict.effect is not Effect[rule.effect]:
            continue
        for other in _otherwise(text):
            verdict = index.decide(_action(rule, other)).verdict
            if verdict.effect in (Effect.allow, Effect.modify):
                return other, f"{verdict.reasons[0].policy}/{verdict.reasons[0].rule}"
    return None


def _otherwise(text: str) -> Iterator[str]:
    """Other ways to write a path or URL."""
    scheme, found, rest = text.partition("://")
    if found:
        host, slash, path = rest.partition("/")
        yield f"{scheme}://{host.upper()}{slash}{path}"
        yield f"{scheme}://{host}.{slash}{path}"
        yield f"{scheme}://a@{host}{slash}{path}"
        yield f"{scheme.upper()}://{host}{slash}{path}"
        return
    names = text.split("/")
    for i in range(1, len(names)):
        head, tail = "/".join(names[:i]), "/".join(names[i:])
        yield f"{head}/./{tail}"
        yield f"{head}//{tail}"
        yield f"{head}/a/../{tail}"


def _action(rule: Rule, resource: str) -> Action:
    """An action that the rule's patterns mean."""
    match = rule.match
    fields: dict[str, Any] = {"tenant": match.tenants, "agent_id": match.agents, "action": match.actions}
    fields |= {"tool": match.tools, "tool_server": match.tool_servers, "model": match.models}
    record = {name: sample(str(entries[0]), FILLER) for name, entries in fields.items() if entries}
    labels = {name: sample(str(entries[0]), FILLER) for name, entries in (match.labels or {}).items()}
    whole = {
        "event_id": str(UUID(int=1)), "tenant": "acme", "agent_id": "agent-1", "action": "read:file",
        "occurred_at": 0, "phase": (match.phases or ["call"])[0], "labels": labels, "resource": resource,
    }  # fmt: skip
    return read_action(encode("action_event", whole | record), 0)
