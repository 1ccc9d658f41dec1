"""Detectors in code, run over a history as judgement would: cells carried on, activity counted."""

from collections.abc import Iterable
from typing import Any

from detections.activity import CELL as ACTIVITY
from detections.activity import count_action
from detections.detector import LARGEST_CELL, Observation
from detections.registry import DETECTORS as REGISTERED
from schemas.action import Action

DETECTORS: dict[str, type[Any]] = {d.name: d for d in REGISTERED}


def run(detector: Any, actions: Iterable[Action], cells: dict[str, bytes] | None = None) -> list[Observation]:
    """What it says of each action; `cells` are changed as judgement changes them."""
    return run_decided(detector, ((action, False) for action in actions), cells)


def run_decided(
    detector: Any, events: Iterable[tuple[Action, bool]], cells: dict[str, bytes] | None = None
) -> list[Observation]:
    """The same where some actions are denied; what it finds on being told so is of that action, too."""
    cells = {} if cells is None else cells
    said = []
    for action, denied in events:
        seen = Observation()
        if action.phase in detector.phases:
            seen = detector.observe(action, cells)
            keep(detector, seen, cells)
        if hasattr(detector, "settle"):
            settled = detector.settle(action, denied, cells)
            keep(detector, settled, cells)
            seen = seen._replace(findings=seen.findings + settled.findings)
        cells[ACTIVITY] = count_action(cells.get(ACTIVITY), action.received_at, denied, action.used())
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
