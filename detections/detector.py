"""The one shape of a detector in code."""

import struct
from typing import Protocol

from schemas.action import Action
from schemas.verdict import Finding

FAILURES = (struct.error, ValueError, ArithmeticError, LookupError)
"""What a detector may raise where its cell or the action is not what it must be: judgement records it and
denies. Anything else is a bug and stops the process."""

LARGEST_CELL = 1024

Findings = tuple[Finding, ...]


class Detector(Protocol):
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
