"""A burst of denials: one agent denied again and again within a short time.

A denial is known only after its decision, so the window holds *earlier* denials when an action is observed:

- A denial at time d counts at time t while t - d < window. Times are `received_at`, in milliseconds.
- A burst is on at an action when at least `count` earlier denials count at its time. Rules see it then
  (`match: detections: [denial-burst]`), so action N is decided by what the actions up to N - 1 revealed.
- The finding is raised with the action whose own denial makes a burst begin, once a burst. The burst lasts
  while at least `count` denials count, however they arose: denials that a rule gives because of the burst
  prolong it. An agent leaves it by pausing, or by doing what is allowed.
- `dedup_key` is the agent and the times of the first and last denial that made it begin.

Only the newest `count` denials are kept: more are never needed to tell any of this. A bundle that raises
`count` begins with the denials that the earlier one kept.
"""

import struct
from typing import Annotated, NamedTuple

from pydantic import Field

from detections.about import About
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.event_ids import pack_id, unpack_id
from documents.types import Model
from schemas.action import Action
from schemas.keys import agent_key
from schemas.verdict import Finding, Severity

MOST = 40
"""The largest `count`: 2 + 40 * 24 bytes stay below a cell's 1 KB."""

BURST = About(
    id="denial-burst",
    title="Burst of denied actions",
    severity=Severity.high,
    tags=("ASI10", "ASI02", "AML.T0053"),
    description="One agent is denied again and again within a short time. It is on for the actions that"
    " follow, as long as so many denials count; whatever denied them.",
    false_positives=(
        "An agent that retries what a new rule forbids, because nobody told it.",
        "A deployment whose policies were just tightened.",
    ),
    runbook="Read the denied actions and their reasons. If they try one way after another to do the same"
    " thing, stop the agent (`praetor control kill`) and read what it was told before the first of them.",
)
ID = BURST.id

_HEAD = struct.Struct("<BB")
_ENTRY = struct.Struct("<q16s")
_TIME = struct.Struct("<q")
_VERSION = 1


class DenialBurstSettings(Model):
    """Settings of the detector `denial-burst`: `count` denials of one agent within `window_seconds`."""

    count: Annotated[int, Field(ge=2, le=MOST, description="So many denials of one agent.")] = 5
    window_seconds: Annotated[
        int, Field(ge=1, le=86_400, description="The seconds within which they fall.")
    ] = 60


class Denial(NamedTuple):
    """One denial: when it was received (milliseconds), and the 16 bytes of its event id."""

    at: int
    event: bytes


def read_cell(cell: bytes | None) -> list[Denial]:
    """The denials in a cell, oldest first.

    Raises:
        ValueError: it is no cell of this detector.
    """
    if not cell:
        return []
    _check(cell)
    return [Denial(*entry) for entry in _ENTRY.iter_unpack(cell[_HEAD.size :])]


def write_cell(denials: list[Denial]) -> bytes:
    """The cell of some denials; empty for none."""
    if not denials:
        return b""
    return _HEAD.pack(_VERSION, len(denials)) + b"".join(_ENTRY.pack(*d) for d in denials)


def _check(cell: bytes) -> int:
    if len(cell) < _HEAD.size or cell[0] != _VERSION:
        raise ValueError(
            f"a cell of {len(cell)} bytes beginning {cell[:2].hex()} is none of version {_VERSION}"
        )
    held = cell[1]
    if not 1 <= held <= MOST or len(cell) != _HEAD.size + held * _ENTRY.size:
        raise ValueError(f"a cell of {len(cell)} bytes cannot hold {held} denials")
    return held


_GONE = Observation({ID: b""})
_ON = Observation(on=(ID,))


class DenialBurst:
    """The detector, with its thresholds."""

    name = ID
    abouts: tuple[About, ...] = (BURST,)
    Settings = DenialBurstSettings
    ids: tuple[str, ...] = (ID,)
    cells: tuple[str, ...] = (ID,)
    woken_by: tuple[str, ...] = (ID,)
    only_denials = True
    phases = EVERY_PHASE

    def __init__(self, settings: DenialBurstSettings | None = None) -> None:
        """Take the thresholds."""
        settings = settings or DenialBurstSettings()
        self._count = settings.count
        self._most = settings.count * _ENTRY.size
        self._window_ms = settings.window_seconds * 1000

    def concerns(self, action: Action) -> bool:
        """Of no action is anything told but by the cell; see `detections.detector.Choosy`."""
        return False

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Tell whether a burst is on; a cell whose denials have all expired is given up.

        Raises:
            ValueError: the cell is none of this detector's.
        """
        cell = cells.get(ID)
        if not cell:
            return NOTHING
        held = _check(cell)
        horizon = action.received_at - self._window_ms
        if self._at(cell, held - 1) <= horizon:
            return _GONE
        return _ON if held >= self._count and self._at(cell, held - self._count) > horizon else NOTHING

    def settle(self, action: Action, denied: bool, cells: Cells) -> Observation:
        """Remember a denial; raise the finding when it makes a burst begin.

        Raises:
            ValueError: the cell is none of this detector's, or the event id is no UUID.
        """
        if not denied:
            return NOTHING
        cell = cells.get(ID)
        event = pack_id(action.event_id)
        held = self._live(cell, action.received_at - self._window_ms) if cell else b""
        was_on = len(held) >= self._most
        held = (held + _ENTRY.pack(action.received_at, event))[-self._most :]
        after = _HEAD.pack(_VERSION, len(held) // _ENTRY.size) + held
        if was_on or len(held) < self._most:
            return Observation({ID: after})
        return Observation({ID: after}, (self._finding(action, read_cell(after)),))

    @staticmethod
    def _live(cell: bytes, horizon: int) -> bytes:
        """The entries that still count, as they stand."""
        at, end = _HEAD.size, _HEAD.size + _check(cell) * _ENTRY.size
        while at < end and _TIME.unpack_from(cell, at)[0] <= horizon:
            at += _ENTRY.size
        return cell[at:]

    @staticmethod
    def _at(cell: bytes, place: int) -> int:
        at: int = _TIME.unpack_from(cell, _HEAD.size + place * _ENTRY.size)[0]
        return at

    def _finding(self, action: Action, denials: list[Denial]) -> Finding:
        first, last = denials[0].at, denials[-1].at
        agent = agent_key(action.tenant, action.agent_id).decode()
        return Finding(
            detector=ID,
            title=BURST.title,
            severity=BURST.severity,
            score=1.0,
            evidence=tuple(unpack_id(d.event) for d in denials),
            first_at=first,
            last_at=last,
            tags=BURST.tags,
            dedup_key=f"{ID}/{agent}/{first}-{last}",
            message=f"{self._count} actions of this agent were denied within {(last - first) / 1000:g} s "
            f"(threshold: {self._count} within {self._window_ms / 1000:g} s)",
            runbook=BURST.runbook,
        )
