"""Which events a destination wants."""

from dataclasses import dataclass

from schemas.verdict import Severity
from sinks.sink import Event, Kind

RANKS = {severity.name: int(severity) for severity in Severity}


@dataclass(frozen=True)
class Choice:
    """What a destination is sent; an empty field asks nothing.

    Attributes:
        kinds: which records.
        severity: the least; a decision has the severity of the rules that matched.
        effects: of decisions.
        tenants: exact names; incidents have none, and pass.
        tags: at least one of them (ASI01, AML.T0051).
        receiver: of notifications, whom they are for.
    """

    kinds: frozenset[Kind] = frozenset()
    severity: Severity = Severity.unknown
    effects: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    receiver: str = ""

    def wants(self, event: Event) -> bool:
        """Whether it is to be sent."""
        record = event.record
        if self.kinds and event.kind not in self.kinds:
            return False
        if RANKS.get(record.get("severity", "unknown"), 0) < self.severity:
            return False
        if self.effects and event.kind == "decision" and record["effect"] not in self.effects:
            return False
        if self.tenants and record.get("tenant", "") not in self.tenants and "tenant" in record:
            return False
        if self.receiver and record.get("receiver") != self.receiver:
            return False
        return not self.tags or not self.tags.isdisjoint(record.get("tags", ()))
