"""One order that stands over the rules: a kill, a quarantine or a grant, and whom it is about. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from documents.pattern import Kind, Pattern, parse_pattern
from policies.path_pattern import LOOSE
from policies.paths import read_path
from schemas.action import Action
from schemas.verdict import Effect, Reason

CONTROL = "control"
"""The policy name under which these orders' reasons stand; a rule's name there is the order's kind."""

OrderKind = Literal["kill", "quarantine", "grant"]
TargetKind = Literal["fleet", "tenant", "agent", "session", "tool"]
Key = tuple[str | None, ...]


class Target(NamedTuple):
    """Whom an order is about, by exact names. Without any name: the whole fleet.

    An agent is a tenant's, a session an agent's. A tool is one of any server and any tenant, unless they are
    named.
    """

    tenant: str | None = None
    agent: str | None = None
    session: str | None = None
    tool: str | None = None
    tool_server: str | None = None

    @property
    def kind(self) -> TargetKind:
        """What is named."""
        if self.tool is not None:
            return "tool"
        if self.session is not None:
            return "session"
        if self.agent is not None:
            return "agent"
        return "fleet" if self.tenant is None else "tenant"

    @property
    def key(self) -> Key:
        """The names that tell it from others of its kind."""
        if self.tool is not None:
            return self.tool, self.tool_server, self.tenant
        return tuple(name for name in self[:3] if name is not None)


@dataclass(frozen=True, slots=True, eq=False)
class StandingOrder:
    """One order.

    Attributes:
        kind: kill, quarantine or grant.
        id: names the order.
        target: whom it is about.
        because: what it says in a verdict.
        offset: its place on agent.control.
        expires_at: from this `received_at` on (milliseconds) it is over; None: it stands until released.
        actions: a grant's: what a covered action must fit one of; none: any.
        resources: a grant's: what a covered action's resource must fit one of; none: any.
        through_quarantine: a grant's: whether what it covers is let through a quarantine.
    """

    kind: OrderKind
    id: str
    target: Target
    because: Reason
    offset: int
    expires_at: int | None = None
    actions: tuple[Pattern, ...] = ()
    resources: tuple[Pattern, ...] = ()
    through_quarantine: bool = False

    def stands(self, now: int) -> bool:
        """Whether it is not over at this `received_at`."""
        return self.expires_at is None or now < self.expires_at

    def covers(self, action: Action) -> bool:
        """Whether a grant speaks of this action of its target."""
        return _fits(self.actions, action.action) and _leads_to(self.resources, action.resource)


def because(kind: OrderKind, identity: str, author: str, reason: str, expires_at: int | None) -> Reason:
    """What an order says in the verdicts it makes."""
    over = "until released" if expires_at is None else f"until {_moment(expires_at)}"
    effect = Effect.allow if kind == "grant" else Effect.deny
    return Reason(CONTROL, kind, effect, f"{reason} ({kind} {identity}, by {author}, {over})")


def _moment(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def patterns(texts: Iterable[str]) -> tuple[Pattern, ...]:
    """Parse a grant's patterns.

    Raises:
        ValueError: one is none (see documents.pattern).
    """
    return tuple(parse_pattern(text) for text in texts)


def _fits(wanted: tuple[Pattern, ...], value: str) -> bool:
    return not wanted or any(_TESTS[p.kind](p, value) for p in wanted)


def _leads_to(wanted: tuple[Pattern, ...], resource: str) -> bool:
    """Whether a resource fits one of some patterns, however it is read: `/a/../b` is not within `/a/*`."""
    if not wanted or any(p.kind is Kind.exact and p.text == resource for p in wanted):
        return True
    read = read_path(resource)
    if read.unreadable:
        return False
    readings = [resource, *(value for value in read.values if not value.endswith(LOOSE))]
    return any(all(_TESTS[p.kind](p, reading) for reading in readings) for p in wanted)


_TESTS: Mapping[Kind, Callable[[Pattern, str], bool]] = {
    Kind.exact: lambda p, value: value == p.text,
    Kind.prefix: lambda p, value: value.startswith(p.text),
    Kind.glob: lambda p, value: re.match(p.regex, value) is not None,
}
