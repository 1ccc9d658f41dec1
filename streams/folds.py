"""Folds: a batch's threats, denials and usage, counted once a key, for correlate. Pure.

A fold's key is (tenant, agent, session, user, resource, tool). What is allowed and raises no threat makes no
fold, but for usage of limits that span agents, which is folded by limit and value.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from judgement.judge import Judgement
from policies.limits import Usage
from schemas.action import Action
from schemas.codec import encode
from schemas.keys import agent_key
from schemas.verdict import Effect, PolicyMode, Severity
from streams.cells import Keyed

MOST_ITEMS = 50
MOST_EVIDENCE = 5
LONGEST = 512
"""Characters of a part of a key; a longer one ends in its digest, so that two stay two."""

Key = tuple[str, str, str | None, str | None, str, str | None]


@dataclass(slots=True)
class Item:
    """One kind and detector of a fold."""

    title: str
    tags: tuple[str, ...] = ()
    runbook: str = ""
    severity: Severity = Severity.unknown
    count: int = 0
    slot: int = 0
    amount: int = 0
    most: int = 0
    live: int = 0
    evidence: list[str] = field(default_factory=list)

    def add(self, event_id: str, severity: Severity, count: int = 1) -> None:
        """Count one more."""
        self.count += count
        self.severity = max(self.severity, severity)
        self.evidence = [*self.evidence, event_id][-MOST_EVIDENCE:]


@dataclass(slots=True)
class Fold:
    """What is counted under one key."""

    first: tuple[int, int]
    last: tuple[int, int]
    items: dict[tuple[str, str, int], Item] = field(default_factory=dict)
    threats: int = 0
    denials: int = 0

    def item(self, key: tuple[str, str, int], made: Item) -> Item | None:
        """The item of a kind, detector and slot; None where there are too many."""
        found = self.items.get(key)
        if found is None and len(self.items) < MOST_ITEMS:
            found = self.items[key] = made
        return found


class Folds:
    """The folds of one batch, in order of appearance."""

    def __init__(self, log_id: str, partition: int) -> None:
        self._place = {"log_id": log_id, "partition": partition}
        self._folds: dict[Key, Fold] = {}

    def add(self, action: Action, offset: int, judged: Judgement) -> None:
        """Count an action's threats, whether it was denied, and what it used of limits that span agents."""
        self._use(action, offset, judged.usage)
        verdict = judged.verdict
        heard = [finding for finding in judged.findings if finding.muted_by is None]
        denied = verdict.effect is Effect.deny and verdict.policy_mode is PolicyMode.enforce
        if not heard and not denied:
            return
        fold = self._fold(_key(action), (offset, action.received_at))
        for found in heard:
            fold.threats += 1
            made = Item(found.title, found.tags, found.runbook)
            if item := fold.item(("threat", found.detector, 0), made):
                item.add(action.event_id, found.severity)
        if denied:
            fold.denials += 1
            reason = verdict.reasons[0]
            made = Item(reason.message[:LONGEST], verdict.tags)
            if item := fold.item(("denial", f"{reason.policy}/{reason.rule}", 0), made):
                item.add(action.event_id, verdict.severity)

    def _use(self, action: Action, offset: int, usage: tuple[Usage, ...]) -> None:
        for used in usage:
            key: Key = (action.tenant, "", None, None, _short(f"{used.limit}:{used.key}"), None)
            fold = self._fold(key, (offset, action.received_at))
            made = Item(used.key, slot=used.slot, most=used.most, live=used.live)
            if item := fold.item(("usage", used.limit, used.slot), made):
                item.count += 1
                item.amount += used.amount

    def records(self) -> list[Keyed]:
        """The keys and framed values of all folds."""
        return [(_record_key(key), self._encode(key, fold)) for key, fold in self._folds.items()]

    def _fold(self, key: Key, at: tuple[int, int]) -> Fold:
        fold = self._folds.get(key)
        if fold is None:
            fold = self._folds[key] = Fold(at, at)
        fold.last = at
        return fold

    def _encode(self, key: Key, fold: Fold) -> bytes:
        tenant, agent, session, user, resource, tool = key
        record: dict[str, Any] = {
            **self._place,
            "first_offset": fold.first[0],
            "last_offset": fold.last[0],
            "first_at": fold.first[1],
            "last_at": fold.last[1],
            "tenant": tenant,
            "agent_id": agent,
            "session_id": session,
            "user": user,
            "tool": tool,
            "resource": resource,
            "items": [
                {
                    "kind": kind,
                    "detector": detector,
                    "title": item.title,
                    "severity": item.severity.name,
                    "count": item.count,
                    "slot": item.slot,
                    "amount": item.amount,
                    "most": item.most,
                    "live": item.live,
                    "evidence": item.evidence,
                    "tags": item.tags,
                    "runbook": item.runbook,
                }
                for (kind, detector, _), item in fold.items.items()
            ],
            "threat_count": fold.threats,
            "denial_count": fold.denials,
        }
        return encode("fold", record)


def _record_key(key: Key) -> bytes | None:
    return agent_key(key[0], key[1]) if key[1] else None


def _key(action: Action) -> Key:
    user = action.get("on_behalf_of") or action.get("principal")
    return (
        _short(action.tenant),
        _short(action.agent_id),
        action.session_id and _short(action.session_id),
        user and _short(user),
        _short(action.resource),
        action.tool and _short(action.tool),
    )


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}…{sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]}"
