"""What became of the events."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AgentReport:
    """One agent's events of this epoch, its closing event included.

    Attributes:
        acknowledged: the broker has them, in all in-sync replicas.
        unsent: without an acknowledgement.
        refused: never taken (buffer full, or not encodable), as the caller was told.
        closed: the closing event is acknowledged.
    """

    acknowledged: int = 0
    unsent: int = 0
    refused: int = 0
    closed: bool = False


@dataclass(frozen=True)
class Report:
    """What is known of a producer's epoch.

    Attributes:
        producer_id: who numbered the events.
        epoch: of the numbers.
        acknowledged: events that the broker has, in all in-sync replicas.
        unsent: events without an acknowledgement.
        uncertain: those of the unsent that were handed to the network: they may be in the log.
        refused: events that were never taken, as the caller was told.
        rejected: events that the broker will never take (too large for it); part of `unsent`.
        agents: the same by agent.
        error: the last thing that kept events from being sent; None once they flow again.
        spool: the file that the unsent events were written to, at the end.
    """

    producer_id: str
    epoch: int
    acknowledged: int = 0
    unsent: int = 0
    uncertain: int = 0
    refused: int = 0
    rejected: int = 0
    agents: dict[str, AgentReport] = field(default_factory=dict)
    error: str | None = None
    spool: str | None = None

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is acknowledged."""
        return not self.unsent and not self.refused

    def __str__(self) -> str:
        text = f"{self.acknowledged} events acknowledged, {self.unsent} not"
        if self.uncertain:
            text += f" ({self.uncertain} of them may have arrived)"
        if self.refused:
            text += f", {self.refused} refused"
        if self.error:
            text += f"; last error: {self.error}"
        return text + (f"; unsent events are in {self.spool}" if self.spool else "")
