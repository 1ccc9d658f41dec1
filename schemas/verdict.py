"""What judgement says: values without coordinates. govern adds where they stand in the log."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple


class Effect(IntEnum):
    """What to do with an action. The numbers are the Avro symbols' places; `RANK` says which wins."""

    unknown = 0
    allow = 1
    deny = 2
    modify = 3
    require_approval = 4
    defer = 5


RANK = {
    Effect.deny: 5,
    Effect.defer: 4,
    Effect.require_approval: 3,
    Effect.modify: 2,
    Effect.allow: 1,
    Effect.unknown: 0,
}


class PolicyMode(IntEnum):
    """Whether the deciding policy is enforced, or only recorded."""

    unknown = 0
    enforce = 1
    shadow = 2


class Severity(IntEnum):
    """How bad, as OCSF's severity_id orders it."""

    unknown = 0
    informational = 1
    low = 2
    medium = 3
    high = 4
    critical = 5


class Reason(NamedTuple):
    """One rule that matched."""

    policy: str
    rule: str
    effect: Effect
    message: str


class Span(NamedTuple):
    """A place in an action that shows what was found.

    `start` and `end` count characters within the field, as its text stands. `text` is redacted: never a
    secret in clear, at most 200 characters.
    """

    event_id: str
    field: str
    start: int
    end: int
    text: str


class Finding(NamedTuple):
    """What a detection found, before it is a record of `agent.threats`.

    Times are `received_at` in milliseconds. `evidence` are event ids, the newest last. `score` is 0 to 1: how
    sure. `dedup_key` is the same for repetitions of one finding, so it holds nothing that ever differs.
    `runbook` says in words what a person does. `muted_by` is the exception of the bundle that mutes it: it is
    recorded all the same, but rules do not see it. Detectors leave it alone.
    """

    detector: str
    title: str
    severity: Severity
    score: float
    evidence: tuple[str, ...]
    first_at: int
    last_at: int
    tags: tuple[str, ...]
    dedup_key: str
    message: str
    spans: tuple[Span, ...] = ()
    runbook: str = ""
    muted_by: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was decided of one action, and why.

    Compared by identity: the rules hand out one object for one outcome, so that its bytes are made once.
    The deciding reason stands first.
    """

    effect: Effect
    policy_mode: PolicyMode = PolicyMode.enforce
    reasons: tuple[Reason, ...] = ()
    severity: Severity = Severity.unknown
    tags: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    modified_arguments: str | None = None
    limits_remaining: dict[str, float] = field(default_factory=dict)
    approval_id: str | None = None
    duplicate_of: str | None = None

    def is_own(self) -> bool:
        """Whether it holds what belongs to one action alone, so that no other can share it."""
        return bool(
            self.limits_remaining or self.duplicate_of is not None or self.modified_arguments is not None
        )
