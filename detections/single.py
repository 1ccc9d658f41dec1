"""The shape of a detector that keeps one cell and learns each decision: `denial-burst` alone has it yet."""

from typing import Protocol

from detections.detector import Findings
from schemas.action import Action


class Single(Protocol):
    """Judges the history of one agent, kept as one cell of at most 1 KB.

    Both methods are pure: functions of their arguments, time being the action's `received_at`. `None` and
    empty bytes are a new agent's cell; empty bytes returned say that the cell is needed no more. The very
    object passed in, returned, says that nothing changed. Both are called for each action of the agent, in
    order.

    Attributes:
        id: what rules and findings call it; also its cell's name.
    """

    id: str

    def observe(self, action: Action, cell: bytes | None) -> tuple[bytes | None, Findings, bool]:
        """Before the decision: the cell, what this action reveals, and whether rules are to see it as on."""
        ...

    def settle(self, action: Action, denied: bool, cell: bytes | None) -> tuple[bytes | None, Findings]:
        """After the decision: the cell that knows it, and what the decision completes."""
        ...
