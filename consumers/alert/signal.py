"""What may have to be told: a threat, or an incident as it stands now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.codec import Record

Kind = Literal["incident", "threat"]
Status = Literal["open", "acknowledged", "resolved"]

RANKS = {"unknown": 0, "informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
PLACES = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """What a rule or a detector found, and how often."""

    cause: str
    title: str
    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class Signal:
    """A threat, or one record of an incident. `at` is its received_at, in milliseconds.

    `subject` is an incident's id; "" of a threat. `text` and `places` hold no secret: they were redacted when
    they were written.
    """

    kind: Kind
    at: int
    severity: str
    title: str
    causes: tuple[Cause, ...]
    tenants: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    text: str = ""
    runbook: str = ""
    subject: str = ""
    status: Status = "open"
    change: str = ""
    by: str = ""
    first_at: int = 0
    count: int = 1
    done: tuple[str, ...] = field(default=())

    @property
    def rank(self) -> int:
        """Its severity as a number: 0 to 5."""
        return RANKS.get(self.severity, 0)

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """What silences match it by."""
        return {
            "kind": (self.kind,),
            "tenant": self.tenants,
            "agent": self.agents,
            "detector": tuple(c.cause for c in self.causes),
            "severity": (self.severity,),
            "tag": self.tags,
            "subject": (self.subject,) if self.subject else (),
        }


def threat_signal(record: Record) -> Signal | None:
    """A threat's; None of one that an exception mutes."""
    if record.get("muted_by") is not None:
        return None
    places = [f"{span['field']}: {span['text']}" for span in record.get("spans", ())[:PLACES]]
    session = record.get("session_id")
    return Signal(
        kind="threat",
        at=record["received_at"],
        severity=record["severity"],
        title=record["title"],
        causes=(Cause(record["detector"], record["title"], record["severity"], 1),),
        tenants=(record["tenant"],),
        agents=(record["agent_id"],),
        sessions=(session,) if session else (),
        tags=tuple(record["tags"]),
        evidence=tuple(record["evidence"]),
        places=tuple(places),
        text=record["message"],
        runbook=record.get("runbook", ""),
        first_at=record["received_at"],
    )


def incident_signal(record: Record) -> Signal:
    """An incident's, of either version of its schema."""
    causes = [
        Cause(d["detector"], d["title"], d["severity"], d["count"]) for d in record.get("detectors", ())
    ]
    tenant = record.get("tenant", "")
    return Signal(
        kind="incident",
        at=record["updated_at"],
        severity=record["severity"],
        title=record["title"],
        causes=tuple(causes),
        tenants=(tenant,) if tenant else (),
        agents=tuple(record.get("agents", ())),
        sessions=tuple(record.get("sessions", ())),
        tags=tuple(record.get("tags", ())),
        evidence=tuple(record.get("evidence", ())),
        text=record.get("story", ""),
        runbook=record.get("runbook", ""),
        subject=record["incident_id"],
        status=record["status"] if record["status"] in ("acknowledged", "resolved") else "open",
        change=record.get("change", ""),
        by=record.get("resolved_by", ""),
        first_at=record["opened_at"],
        count=record.get("threat_count", 0) + record.get("denial_count", 0),
        done=_done(record),
    )


def _done(record: Record) -> tuple[str, ...]:
    """What was done, a sentence each."""
    dry = " (dry run: only written down)"
    told = [
        f"{r['kind'].replace('_', ' ')} {r['target']}{dry if r['dry_run'] else ''}: {r['reason']}"
        for r in record.get("responses", ())
    ]
    return tuple(told) or ((record["response"],) if record.get("response") else ())
