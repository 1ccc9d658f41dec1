"""A group as its receivers are told it: one record each, under an id that stays the same."""

import shlex
from dataclasses import asdict

from consumers.alert.book import Telling
from consumers.alert.group import OTHERS, Group
from consumers.alert.signal import Cause
from schemas.codec import Record

ACTIONS = {
    "opened": "",
    "grew": "It has grown. ",
    "escalated": "It has become worse. ",
    "still open": "It is still open. ",
    "acknowledged": "It is acknowledged. ",
    "resolved": "It is resolved. ",
    "quiet": "Nothing new has come: it is over. ",
    "due": "",
}
MANY_QUERIES = 6


def notifications(telling: Telling, log_id: str, now: int) -> list[Record]:
    """The records, one for each receiver, in the fields of the schema `notification`."""
    group = telling.group
    shared = {
        "log_id": log_id,
        "route": group.route,
        "group_id": group.id,
        "number": group.number,
        "action": telling.step.action,
        "kind": group.kind,
        "reason": telling.step.reason,
        "severity": group.severity,
        "title": _title(group),
        "text": ACTIONS[telling.step.reason] + _text(telling),
        "at": now,
        "first_at": group.first_at,
        "last_at": group.last_at,
        "tenants": _named(group.tenants),
        "agents": _named(group.agents),
        "more_agents": OTHERS in group.agents,
        "sessions": _named(group.sessions),
        "count": group.count,
        "fresh": telling.fresh,
        "causes": [asdict(cause) for cause in _causes(group)],
        "places": group.places,
        "evidence": group.evidence,
        "done": group.done or [NOTHING_DONE[group.kind]],
        "by": group.by,
        "runbook": group.runbook,
        "queries": queries(group),
        "tags": _named(group.tags),
    }
    return [
        {**shared, "receiver": receiver, "notification_id": f"{log_id}/{group.id}/{group.number}/{receiver}"}
        for receiver in group.receivers
    ]


NOTHING_DONE = {
    "incident": "Nothing yet: no response rule fits it.",
    "threat": "The decision on each action stands in agent.decisions; nothing was done beyond it.",
    "digest": "",
}


def _causes(group: Group) -> list[Cause]:
    return sorted(group.causes.values(), key=lambda c: (-c.count, c.cause))


def _title(group: Group) -> str:
    if group.kind == "digest":
        return f"{group.count} events of {len(group.causes)} causes"
    return (
        f"{group.title} ({group.count} times)" if group.kind == "threat" and group.count > 1 else group.title
    )


def _text(telling: Telling) -> str:
    group = telling.group
    if group.kind == "incident":
        return group.text or f"{group.count} threats and denials."
    whom = _whom(group)
    if group.kind == "digest":
        return f"{group.count} events of low urgency{whom}."
    new = "" if telling.fresh == group.count else f", {telling.fresh} of them new"
    return f"{group.count} threats{new}{whom}. The last: {group.text or group.title}"


def _whom(group: Group) -> str:
    agents = _named(group.agents)
    if not agents:
        return ""
    more = " and others" if OTHERS in group.agents else ""
    return f" by {len(agents)} agents{more}" if len(agents) > 1 else f" by {agents[0]}{more}"


def queries(group: Group) -> list[str]:
    """Commands to go on with. What agents are called is theirs to say, so every word is quoted."""
    tenant = (_named(group.tenants) or [""])[0]

    def ask(name: str, **keys: str) -> str:
        words = [f"{key}={value}" for key, value in {"tenant": tenant, **keys}.items() if value]
        return _command("query", "--named", name, *words)

    found = []
    if group.kind == "incident":
        found = [_command("incident", "show", group.id), ask("blast-radius", incident=group.id)]
    found += [ask("session-timeline", session=session) for session in reversed(group.sessions[-2:])]
    found += [ask("agent-actions", agent=agent) for agent in _named(group.agents)[:2]]
    if group.kind == "threat" and group.evidence:
        found.append(ask("why-denied", event=group.evidence[-1]))
    return found[:MANY_QUERIES]


def _command(*words: str) -> str:
    return "praetor " + " ".join(shlex.quote(word) for word in words)


def _named(values: list[str]) -> list[str]:
    return [value for value in values if value != OTHERS]
