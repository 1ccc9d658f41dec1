"""Velocity: an agent that suddenly acts at a machine's pace.

Counted by what judgement counts anyway (the agent's `activity` cell), so that most actions write nothing:
two moments are remembered only, at most one window apart, and what has been counted until each. An agent that
pauses for `PAUSE_MS` before each action, as models do, never writes at all.
"""

import struct
from typing import NamedTuple

from pydantic import Field

from detections.about import About
from detections.activity import CELL as ACTIVITY
from detections.activity import counted
from detections.detector import NOTHING, Cells, Observation
from detections.finding import Since, found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Severity

VELOCITY = About(
    id="velocity",
    title="Actions far faster than usual",
    severity=Severity.medium,
    tags=("ASI08", "ASI10", "AML.T0034.002"),
    description=(
        "An agent acts many times within a few seconds: more than `most` while little is known of it, more"
        " than `factor` times what is usual for it (and at least `floor`) once `learned` half windows of"
        " quick work were seen. All its actions count, results too; it is told at a call. What is usual is"
        " the mean of its earlier quick windows, newer ones weighing more. It is found once a burst, and"
        " stays on while the burst lasts.\n\n"
        "Not promised: a burst with pauses of a second begins anew after each; at most half a window is"
        " counted late."
    ),
    false_positives=(
        (
            "A batch job that starts for the first time, or grew: raise `most`, or make an"
            " exception for its agent."
        ),
        "Producers that send in one go what they held back while the broker was away.",
    ),
    runbook=(
        "See what the agent repeats and who started it. If it is a loop or a script in its place, stop it"
        " with `praetor kill` or quarantine it; if it is a batch, make an exception for this agent."
    ),
)

PAUSE_MS = 1000
CELL = "velocity"

_VERSION = 1
_LAYOUT = struct.Struct("<BBHfqQqQ")
_unpack = _LAYOUT.unpack


class VelocitySettings(Model):
    """Thresholds of `velocity`."""

    window_seconds: int = Field(10, ge=2, le=3600, description="How long a window is.")
    most: int = Field(600, ge=10, description="Actions in a window, while nothing is known of the agent.")
    factor: float = Field(10.0, ge=1.5, description="How many times the usual is too much.")
    floor: int = Field(300, ge=10, description="Never less than so many actions in a window.")
    learned: int = Field(20, ge=1, le=60_000, description="Half windows until the usual is known.")


class _State(NamedTuple):
    """As the cell has it: two moments, and how many actions were counted before each; what is usual."""

    version: int
    alarmed: int
    seen: int
    usual: float
    older_at: int
    older: int
    newer_at: int
    newer: int


class Velocity:
    """The detector."""

    name = "velocity"
    abouts: tuple[About, ...] = (VELOCITY,)
    ids: tuple[str, ...] = (VELOCITY.id,)
    cells: tuple[str, ...] = (CELL,)
    phases = frozenset({"call"})
    Settings = VelocitySettings

    def __init__(self, settings: VelocitySettings | None = None) -> None:
        settings = settings or VelocitySettings()
        self._window = settings.window_seconds * 1000
        self._half = self._window // 2
        self._settings = settings
        self._least = min(settings.most, settings.floor) - 1

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Count; see `detections.detector.Detector`."""
        activity = cells.get(ACTIVITY)
        if not activity:
            return NOTHING
        before, last = counted(activity)
        now = action.received_at
        if now - last >= PAUSE_MS:
            return NOTHING
        cell = cells.get(CELL)
        if not cell:
            return _written(_State(_VERSION, 0, 0, 0.0, last, before - 1, last, before - 1))
        version, alarmed, _, _, _, older, newer_at, _ = fields = _unpack(cell)
        if version != _VERSION:
            raise ValueError(f"a {CELL} cell of version {version}")
        rolls = now - newer_at >= self._half
        if not (rolls or alarmed) and before - older < self._least:  # nearly always
            return NOTHING
        state = _State(*fields)
        if rolls:
            state = self._roll(state, now, last, before)
            return self._judged(action, state, before, changed=True)
        return self._judged(action, state, before, changed=False)

    def _roll(self, state: _State, now: int, last: int, before: int) -> _State:
        """The newer moment becomes the older one; the half window that ends teaches what is usual."""
        if now - state.newer_at >= self._window:  # long quiet: begin with the last action
            return state._replace(alarmed=0, older_at=last, older=before - 1, newer_at=last, newer=before - 1)
        rate = 2.0 * (before - state.newer)
        weight = 1 / min(state.seen + 1, 64 if state.alarmed else 16)
        usual = state.usual + (rate - state.usual) * weight
        return _State(
            _VERSION,
            int(state.alarmed and rate >= self._limit(state)),
            min(state.seen + 1, 60_000),
            usual,
            state.newer_at,
            state.newer,
            now,
            before,
        )

    def _judged(self, action: Action, state: _State, before: int, changed: bool) -> Observation:
        whole = action.received_at - state.older_at < self._window
        since, start = (state.older_at, state.older) if whole else (state.newer_at, state.newer)
        count = before + 1 - start
        if state.alarmed:
            return Observation(_written(state).changes if changed else {}, on=self.ids)
        if count < self._limit(state):
            return _written(state) if changed else NOTHING
        seconds = max(action.received_at - since, 1) / 1000
        usual = (
            f"usual: {state.usual:.0f}" if state.seen >= self._settings.learned else "usual: not known yet"
        )
        message = f"{count} actions in {seconds:.1f} s; {usual} in {self._settings.window_seconds} s"
        finding = found(VELOCITY, action, message, score=0.8, since=Since(since))
        return Observation(_written(state._replace(alarmed=1)).changes, (finding,))

    def _limit(self, state: _State) -> float:
        known = state.seen >= self._settings.learned
        return (
            max(self._settings.floor, self._settings.factor * state.usual) if known else self._settings.most
        )


def _written(state: _State) -> Observation:
    return Observation({CELL: _LAYOUT.pack(*state)})
