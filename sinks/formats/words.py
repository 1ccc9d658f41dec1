"""What several formats say of an event in the same words: its name, its severity in numbers, its sentence."""

from datetime import UTC, datetime

from schemas.codec import Record
from sinks.sink import Event

RANKS = {"unknown": 0, "informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def time_of(event: Event) -> int:
    """Milliseconds since 1970, by the broker's clock; an incident's is that of its newest member."""
    record = event.record
    time: int = record["received_at"] if "received_at" in record else record["updated_at"]
    return time


def iso(milliseconds: int) -> str:
    """RFC 3339 in UTC with milliseconds; a time beyond the years 1 to 9999 is the nearest within."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        moment = FIRST if milliseconds < 0 else LAST
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z"


def name_of(event: Event) -> str:
    """A short name of what happened, the same for like events: what SIEMs group by."""
    record = event.record
    if event.kind == "decision":
        return f"Agent action {SPOKEN.get(record['effect'], record['effect'])}"
    return str(record["title"])


SPOKEN = {
    "allow": "allowed",
    "deny": "denied",
    "modify": "modified",
    "require_approval": "held for approval",
    "defer": "deferred",
}


def signature_of(event: Event) -> str:
    """What decided: the rule's, the detector's or the group's name."""
    record = event.record
    if event.kind == "threat":
        return str(record["detector"])
    if event.kind == "incident":
        return "incident"
    return rule_of(record) or "no-rule"


def rule_of(record: Record) -> str:
    """`policy/rule` of the deciding reason; "" where none is named."""
    reasons = record.get("reasons") or ()
    return f"{reasons[0]['policy']}/{reasons[0]['rule']}" if reasons else ""


def sentence_of(event: Event) -> str:
    """Why, in words: the deciding rule's message, the finding's, the incident's story or title."""
    record = event.record
    if event.kind == "decision":
        reasons = record["reasons"]
        return reasons[0]["message"] if reasons else ""
    return str(record.get("message") or record.get("story") or record["title"])


def responses_of(record: Record) -> list[str]:
    """What was done about an incident, a phrase each."""
    done = [
        f"{r['kind']} {r['target']}{' (dry run)' if r['dry_run'] else ''}"
        for r in record.get("responses", ())
    ]
    return done or ([record["response"]] if record.get("response") else [])
