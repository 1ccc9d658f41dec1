"""Builds the findings of detectors in code."""

from typing import NamedTuple

from detections.about import About
from detections.content.secret_formats import without_secrets
from schemas.action import Action
from schemas.keys import agent_key
from schemas.verdict import Finding, Span

LONGEST_TEXT = 200
LONGEST_SECRET = 4096
"""Characters behind what is shown in which a secret that begins there must end to be known as one."""


class Since(NamedTuple):
    """What led to a finding before this action: when it began (milliseconds), and event ids, oldest first."""

    first_at: int
    evidence: tuple[str, ...] = ()


def found(
    about: About,
    action: Action,
    message: str,
    *,
    what: str = "",
    score: float = 1.0,
    since: Since | None = None,
    spans: tuple[Span, ...] = (),
) -> Finding:
    """A finding that this action reveals.

    Args:
        about: its kind.
        action: the one that reveals it, last in the evidence.
        message: what was seen, with figures. Secrets that can be told by their looks are taken out of it, and
            of `what`; of a text of the action that is shown in part, write `short(text)`.
        what: tells findings of this kind and agent apart in the dedup key; of few different values.
        score: 0 to 1, how sure.
        since: what led to it; None: this action alone.
        spans: places in this action, redacted.
    """
    began, earlier = since or Since(action.received_at)
    agent = agent_key(action.tenant, action.agent_id).decode()
    what = without_secrets(what)
    return Finding(
        detector=about.id,
        title=about.title,
        severity=about.severity,
        score=score,
        evidence=(*earlier, action.event_id),
        first_at=began,
        last_at=action.received_at,
        tags=about.tags,
        dedup_key=f"{about.id}/{agent}/{what}" if what else f"{about.id}/{agent}",
        message=without_secrets(message),
        spans=spans,
        runbook=about.runbook,
    )


def short(text: str, length: int = LONGEST_TEXT) -> str:
    """At most so many characters of a text, on one line: no secret, unprintable characters as code points."""
    text = without_secrets(text[: length + LONGEST_SECRET])
    cut = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in cut)[:length]
