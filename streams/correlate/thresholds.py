"""When a group's threats and denials make an incident, and when it is over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.verdict import Severity
from streams.correlate.tally import Tally

BUCKET_MS = 60_000


@dataclass(frozen=True)
class Thresholds:
    """What opens an incident; times are milliseconds of the broker's clock.

    Attributes:
        window_ms: how long a threat or denial counts towards opening one, to the minute.
        quiet_ms: after how long without another it resolves by itself.
        severity: one threat of it opens an incident of its agent.
        threats: so many threats of an agent within the window do, whatever their severity.
        denials: so many denied actions of an agent do.
        agents: by group (session, user, resource, tool, tenant) the least number of agents with a threat of
            at least medium severity: what one agent does alone is that agent's incident.
    """

    window_ms: int = 600_000
    quiet_ms: int = 1_800_000
    severity: Severity = Severity.medium
    threats: int = 5
    denials: int = 20
    agents: Mapping[str, int] = field(
        default_factory=lambda: {"session": 2, "user": 3, "resource": 3, "tool": 5, "tenant": 10}
    )

    def opens(self, group_by: str, window: Tally) -> bool:
        """Whether what a group's window holds makes an incident."""
        if group_by == "agent":
            enough = (window["threats"] >= self.threats, window["denials"] >= self.denials)
            return bool(window["severity"] >= self.severity or any(enough))
        return len(window["alarming"]) >= self.agents.get(group_by, len(window["alarming"]) + 1)
