"""Detectors in code, run over a history as judgement would: cells carried on, activity counted."""

from collections.abc import Iterable
from typing import Any

from detections.activity import CELL as ACTIVITY
from detections.activity import count_action
from detections.burst import DenialBurst
from detections.detector import LARGEST_CELL, Observation
from detections.registry import DETECTORS as REGISTERED
from schemas.action import Action

DETECTORS: dict[str, type[Any]] = {d.name: d for d in REGISTERED if d is not DenialBurst}
"""All but the one that learns denials, which has tests of its own."""


def run(detector: Any, actions: Iterable[Action], cells: dict[str, bytes] | None = None) -> list[Observation]:
    """What it says of each action; `cells` are changed as judgement changes them."""
    cells = {} if cells is None else cells
    said = []
    for action in actions:
        seen = Observation()
        if action.phase in detector.phases:
            seen = detector.observe(action, cells)
            keep(detector, seen, cells)
        cells[ACTIVITY] = count_action(cells.get(ACTIVITY), action.received_at, False)
        said.append(seen)
    return said


def keep(detector: Any, seen: Observation, cells: dict[str, bytes]) -> None:
    """Change the cells, as judgement does, if they are the detector's own and small."""
    for name, cell in seen.changes.items():
        assert name in detector.cells
        assert len(cell) <= LARGEST_CELL
        if cell:
            cells[name] = cell
        else:
            cells.pop(name, None)
