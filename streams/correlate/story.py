"""What an incident says in words. Pure."""

from datetime import UTC, datetime
from typing import Any

from schemas.keys import SEPARATOR

MOST_NAMED = 3
WORDS = {"agent": "Agent", "session": "Session", "user": "User", "resource": "Resource", "tool": "Tool"}


def title(incident: dict[str, Any]) -> str:
    """One line: who, and the worst of what was found."""
    group_by, group = incident["group_by"], _group(incident)
    worst = max(incident["tally"]["detectors"].values(), key=lambda d: (d[1], d[2]), default=["", 0, 0])
    what = worst[0] or "denied actions"
    if group_by == "agent":
        return f"{group}: {what}"
    many = len(incident["tally"]["agents"])
    return f"{WORDS.get(group_by, 'Tenant')} {group}: {many} agents, {what}"


def story(incident: dict[str, Any]) -> str:
    """A few sentences, with figures."""
    tally = incident["tally"]
    said = [
        f"Since {_time(incident['opened_at'])} {_whose(incident)} raised {_many(tally['threats'], 'threat')}"
        f" and had {_many(tally['denials'], 'action')} denied, within"
        f" {_span(incident['updated_at'] - incident['opened_at'])}."
    ]
    found = sorted(tally["detectors"].values(), key=lambda d: (-d[1], -d[2], d[0]))
    if found:
        listed = "; ".join(f"{text} ({number}x)" for text, _, number in found[:MOST_NAMED])
        more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        said.append(f"Found: {listed}{more}.")
    named = ("tools", "resources")
    said += [f"{name.capitalize()}: {_some(tally[name])}." for name in named if tally[name]]
    if incident["responses"]:
        said.append(f"Done: {_done(incident['responses'])}.")
    if incident["status"] == "resolved":
        by = incident["resolved_by"]
        said.append("Resolved: it has been quiet since." if by == "quiet" else f"Resolved by {by}.")
    if incident.get("note"):
        said.append(f"Note: {incident['note']}")
    return " ".join(said)


def _whose(incident: dict[str, Any]) -> str:
    agents = incident["tally"]["agents"]
    if incident["group_by"] == "agent":
        return f"agent {agents[0] if agents else _group(incident)}"
    return f"{_many(len(agents), 'agent')} of {incident['group_by']} {_group(incident)} ({_some(agents)})"


def _done(responses: list[dict[str, Any]]) -> str:
    return ", ".join(
        f"{r['kind'].replace('_', ' ')} of {r['target']}{' (dry run)' if r['dry_run'] else ''}"
        for r in responses[-MOST_NAMED:]
    )


def _group(incident: dict[str, Any]) -> str:
    group = incident["group_key"].split(SEPARATOR)[-1]
    return str(group.replace("%2F", "/").replace("%25", "%"))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _span(ms: int) -> str:
    seconds = max(ms, 0) / 1000
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
