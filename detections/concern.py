"""Which detectors an action concerns: most have nothing to say of most actions, and are not even entered.

What a detector asks of an action alone (`Choosy.concerns`) is asked once of all actions that do the same
thing: agents repeat themselves. The answers for the newest deeds are remembered; they are a function of the
deed's bytes, so that nothing said depends on what is remembered.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from detections.detector import Cells, Detector, Observation
from schemas.action import PHASES, Action

Observe = Callable[[Action, Cells], Observation]

LONGEST = 512
"""Bytes of a deed that is remembered. Of longer ones, and of content, each detector sees for itself."""
MOST = 32_768
"""Deeds that are remembered: with their answers 10 MB at most, and 20 MB if all are of the longest."""


class Concern:
    """The detectors of one bundle, in their order."""

    def __init__(self, detectors: Sequence[Any]) -> None:
        """Take them; those with `concerns` are choosy."""
        self._observing = tuple((1 << i, d.observe, _phases(d)) for i, d in enumerate(detectors))
        choosy = [(1 << i, d) for i, d in enumerate(detectors) if hasattr(d, "concerns")]
        self._asked = {
            phase: tuple((bit, d.concerns) for bit, d in choosy if phase in _phases(d)) for phase in PHASES
        }
        self._all = (1 << len(detectors)) - 1
        self._always = self._all - sum(bit for bit, _ in choosy)
        self._woken: dict[str, int] = {}
        for bit, detector in choosy:
            for cell in detector.woken_by:
                self._woken[cell] = self._woken.get(cell, 0) | bit
        self._waking = frozenset(self._woken)
        self._known: dict[bytes, int] = {}
        self._chosen: Mapping[str, dict[int, tuple[Observe, ...]]] = {phase: {} for phase in PHASES}

    def observers(self, action: Action, cells: Cells) -> tuple[Observe, ...]:
        """Those that are to observe an action of an agent, in their order."""
        bits = self._all
        if not action.content:
            deed = action.deed()
            found = self._known.get(deed)
            bits = self._ask(action, deed) if found is None else found
        for cell in self._waking.intersection(cells):
            bits |= self._woken[cell]
        chosen = self._chosen[action.phase]
        observers = chosen.get(bits)
        if observers is None:  # as many as detectors are choosy, not as actions
            phase = action.phase
            observers = tuple(
                observe for bit, observe, phases in self._observing if bits & bit and phase in phases
            )
            chosen[bits] = observers
        return observers

    def _ask(self, action: Action, deed: bytes) -> int:
        if len(deed) > LONGEST:
            return self._all
        bits = self._always
        for bit, concerns in self._asked[action.phase]:
            if concerns(action):
                bits |= bit
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[deed] = bits
        return bits


def _phases(detector: Detector) -> frozenset[str]:
    """Who does not say what an action's phase is has it looked at as a call."""
    return detector.phases | {"unknown"} if "call" in detector.phases else detector.phases
