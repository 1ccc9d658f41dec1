"""The finding of a correlation, in words."""

from collections.abc import Sequence
from uuid import UUID

from detections.finding import short
from detections.sigma.correlation.entries import Entry
from detections.sigma.correlation.model import Correlation
from detections.sigma.tags import finding_tags
from schemas.action import Action
from schemas.keys import agent_key
from schemas.verdict import Finding, Severity

MOST_EVIDENCE = 40
LONGEST = 100

SHOWN = frozenset(
    {"agent_id", "session_id", "tool", "tool_server", "action", "phase", "mode", "model", "outcome"}
    | {"principal", "on_behalf_of", "producer_id", "enforced_effect", "enforced_by"}
)
"""Fields whose values a message may show: names. Of others, which may hold a secret, it tells none."""


def finding_of(correlation: Correlation, action: Action, group: bytes, window: Sequence[Entry]) -> Finding:
    """What is told when a condition begins to hold.

    Args:
        correlation: whose.
        action: the one that made it hold.
        group: the digest of the group.
        window: the entries of which it holds, by time; the newest 40 events are evidence.
    """
    agent = agent_key(action.tenant, action.agent_id).decode()
    events = dict.fromkeys(str(UUID(bytes=e.event)) for e in window)
    others = [event for event in events if event != action.event_id]
    return Finding(
        detector=correlation.name,
        title=correlation.title,
        severity=Severity[correlation.level],
        score=1.0,
        evidence=(*others[1 - MOST_EVIDENCE :], action.event_id),
        first_at=min(window[0].at, action.received_at),
        last_at=action.received_at,
        tags=finding_tags(correlation.tags),
        dedup_key=f"{correlation.name}/{agent}/{group.hex()}",
        message=_message(correlation, action, len(events)),
        runbook=correlation.runbook,
    )


def _message(correlation: Correlation, action: Action, events: int) -> str:
    asked = f"{correlation.operator} {correlation.threshold:g}"
    if correlation.expression is not None:
        asked = "as its condition asks"
    elif correlation.kind == "temporal_ordered":
        asked = "all in order"
    of = f" of {', '.join(correlation.fields)}" if correlation.fields else ""
    groups = ", ".join(_shown(name, action) for name in correlation.group_by)
    what = f"{correlation.kind}{of} {asked} within {correlation.timespan} s"
    return f"{what}: {events} events with the same {groups}"


def _shown(name: str, action: Action) -> str:
    value = action.get(name) if name in SHOWN else None
    return f"{name} {short(value, LONGEST)!r}" if isinstance(value, str) else name
