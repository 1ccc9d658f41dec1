"""The one shape of a detector in code."""

import struct
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from schemas.action import PHASES, Action
from schemas.verdict import Finding

FAILURES = (struct.error, ValueError, ArithmeticError, LookupError)
"""What a detector may raise where its cell or the action is not what it must be: judgement records it and
denies. Anything else is a bug and stops the process."""

LARGEST_CELL = 1024

EVERY_PHASE = frozenset(PHASES)

Findings = tuple[Finding, ...]
Cells = Mapping[str, bytes]
"""All cells of one agent, by name. A detector reads and changes only those that it declares."""

_NONE: Mapping[str, bytes] = {}


class Observation(NamedTuple):
    """What one detector says of one action.

    Attributes:
        changes: its own cells that changed; empty bytes: the cell is needed no more.
        findings: what this action reveals: their ids are on for the rules in this very judgement.
        on: ids that are on without a finding of this action.
        risk: 0 to 1: how likely this action is the work of a hijacked agent; 0 where that is not its matter.
        errors: what was cut, or could not be looked at, in words: recorded in the verdict.
    """

    changes: Mapping[str, bytes] = _NONE
    findings: Findings = ()
    on: tuple[str, ...] = ()
    risk: float = 0.0
    errors: tuple[str, ...] = ()


NOTHING = Observation()
"""Nothing changed and nothing was found: this very object, as its identity is asked for first."""


class Detector(Protocol):
    """Judges the history of one agent, kept as cells of at most 1 KB each.

    Pure: a function of its arguments, time being the action's `received_at` in milliseconds. It sees each
    action of the agent, of the phases that it wants, in order. A cell that is not there, and an empty one,
    is a new agent's. The first byte of a cell is the version of its form.

    Attributes:
        ids: what its findings may be called: rules may match these.
        cells: the names of the cells that it keeps.
        phases: those that it wants to see.
    """

    ids: tuple[str, ...]
    cells: tuple[str, ...]
    phases: frozenset[str]

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Before the decision: what this action reveals.

        Raises:
            One of FAILURES: a cell is not its own, or the action holds what it cannot use.
        """
        ...


class Metering(Detector, Protocol):
    """One that asks what an agent used: where `meters`, judgement counts it (`detections.activity`)."""

    meters: bool


class Choosy(Detector, Protocol):
    """One that tells beforehand, of an action alone, whether it may have anything to say.

    Attributes:
        woken_by: while the agent has one of these cells, every action is observed.
    """

    woken_by: tuple[str, ...]

    def concerns(self, action: Action) -> bool:
        """Whether `observe` may say anything of an action of an agent that has no cell of `woken_by`.

        A function of the action's `deed` and of nothing else: the answer is remembered for its bytes. It is
        asked only of small actions without content; others are always observed.
        """
        ...


class Settling(Detector, Protocol):
    """One that must also learn the decision.

    Attributes:
        only_denials: whether it has nothing to say of what is not denied, and is not told of it; may be left
            out.
    """

    only_denials: bool

    def settle(self, action: Action, denied: bool, cells: Cells) -> Observation:
        """After the decision; `cells` are those after `observe`. What is on and the risk say nothing now.

        Raises:
            As `observe`.
        """
        ...
