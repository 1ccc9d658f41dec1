"""What belongs together and is told together: its figures, and what was told of it."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from consumers.alert.signal import RANKS, Cause, Signal

NAMES, EVIDENCE, CAUSES, WORDS = 20, 10, 50, 2000
OTHERS = "(others)"
"""Stands for all names beyond a bound: no pattern means it but `*`."""


@dataclass
class Group:
    """A group as it is remembered.

    Times are milliseconds: `first_at` and `last_at` by the broker's clock, the others by that of the process
    that groups.

    Attributes:
        key: which group it is; a later group of the same key has another id.
        id: what receivers know it by.
        kind: an incident, threats that share what its route groups by, or a digest.
        told_count: of `count`, those that its last notification knew.
        news: something has changed since.
        held: why it is not told now: a silence, a window or what inhibits it.
        due: when to look at it again.
    """

    key: str
    id: str
    route: str
    receivers: tuple[str, ...]
    kind: Literal["incident", "threat", "digest"]
    opened_at: int
    seen_at: int
    first_at: int
    last_at: int
    severity: str = "unknown"
    title: str = ""
    text: str = ""
    runbook: str = ""
    by: str = ""
    status: Literal["open", "acknowledged", "resolved"] = "open"
    tenants: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    causes: dict[str, Cause] = field(default_factory=dict)
    count: int = 0
    told_count: int = 0
    news: bool = False
    number: int = 0
    told_at: int = 0
    told_status: str = ""
    told_severity: str = "unknown"
    held: str = ""
    due: int = 0

    @property
    def rank(self) -> int:
        """Its severity as a number."""
        return RANKS.get(self.severity, 0)

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """What routes, silences and inhibitions match it by."""
        return {
            "kind": (self.kind,),
            "tenant": tuple(self.tenants),
            "agent": tuple(self.agents),
            "session": tuple(self.sessions),
            "detector": tuple(self.causes),
            "severity": (self.severity,),
            "tag": tuple(self.tags),
            "subject": (self.id,),
        }

    def learn(self, signal: Signal, now: int) -> None:
        """Take a signal in. A threat adds to what is there; an incident's record stands for all before."""
        self.seen_at = now
        self.first_at = min(self.first_at, signal.first_at)
        self.last_at = max(self.last_at, signal.at)
        if signal.rank >= self.rank or not self.title:
            self.title, self.runbook = _cut(signal.title), _cut(signal.runbook) or self.runbook
        if self.kind == "incident":
            self._replace(signal)
        else:
            self._add(signal)

    def _replace(self, signal: Signal) -> None:
        self.news = self.news or signal.count != self.count or len(signal.done) != len(self.done)
        self.severity, self.status, self.count = signal.severity, signal.status, signal.count
        self.text, self.by = _cut(signal.text), signal.by
        self.tenants, self.agents = list(signal.tenants), _some(signal.agents)
        self.sessions, self.tags = _some(signal.sessions), _some(signal.tags)
        self.evidence, self.done = list(signal.evidence[-EVIDENCE:]), [_cut(d) for d in signal.done[-NAMES:]]
        self.causes = {c.cause: c for c in signal.causes[:CAUSES]}

    def _add(self, signal: Signal) -> None:
        self.news = True
        self.count += 1
        self.severity = max(self.severity, signal.severity, key=lambda name: RANKS.get(name, 0))
        self.text, self.places = _cut(signal.text), [_cut(p) for p in signal.places]
        _join(self.tenants, signal.tenants)
        _join(self.agents, signal.agents)
        _join(self.tags, signal.tags)
        self.sessions = _newest(self.sessions, signal.sessions, NAMES)
        self.evidence = _newest(self.evidence, signal.evidence, EVIDENCE)
        if signal.subject:  # an incident in a digest: as it stands now, once
            self._count(Cause(signal.subject, signal.title, signal.severity, signal.count), again=False)
        else:
            for cause in signal.causes:
                self._count(cause, again=True)

    def _count(self, cause: Cause, *, again: bool) -> None:
        name = cause.cause if cause.cause in self.causes or len(self.causes) < CAUSES else OTHERS
        known = self.causes.get(name)
        if known is None:
            title = cause.title if name != OTHERS else "all others"
            self.causes[name] = Cause(name, title, cause.severity, cause.count)
        elif again or name == OTHERS:
            worse = max(known.severity, cause.severity, key=lambda s: RANKS.get(s, 0))
            self.causes[name] = Cause(name, known.title, worse, known.count + cause.count)
        else:
            self.causes[name] = cause


_ADAPTER = TypeAdapter(Group)


def to_json(group: Group) -> str:
    """A group as it is written down."""
    return _ADAPTER.dump_json(group).decode()


def from_json(text: str) -> Group:
    """A group as it was written down, by this version or one before.

    Raises:
        ValueError: it is none.
    """
    return _ADAPTER.validate_json(text)


def _cut(text: str) -> str:
    return text if len(text) <= WORDS else text[: WORDS - 1] + "…"


def _some(values: Iterable[str]) -> list[str]:
    found: list[str] = []
    _join(found, values)
    return found


def _join(known: list[str], values: Iterable[str]) -> None:
    for value in values:
        if value not in known:
            if len(known) >= NAMES:
                if known[-1] != OTHERS:
                    known.append(OTHERS)
                return
            known.append(value)


def _newest(known: list[str], values: Iterable[str], most: int) -> list[str]:
    return list(dict.fromkeys([*(k for k in known if k not in values), *values]))[-most:]
