"""Detectors in code, run over a history as judgement would: cells carried on, activity counted."""

from collections.abc import Iterable
from typing import Any

from detections.activity import CELL as ACTIVITY
from detections.activity import count_action
from detections.behaviour.baseline import Baseline
from detections.behaviour.delegation import Delegation
from detections.behaviour.loops import Loops
from detections.behaviour.sequences import Sequences
from detections.behaviour.spending import Spending
from detections.behaviour.surprise import Surprise
from detections.behaviour.velocity import Velocity
from detections.detector import LARGEST_CELL, Observation
from schemas.action import Action

BEHAVIOUR: tuple[type[Any], ...] = (
    Velocity,
    Loops,
    Spending,
    Baseline,
    Surprise,
    Delegation,
    Sequences,
)
DETECTORS: dict[str, type[Any]] = {d.name: d for d in BEHAVIOUR}


def made(name: str, **settings: Any) -> Any:
    """A detector by name, with settings other than its defaults."""
    detector = DETECTORS[name]
    return detector(detector.Settings(**settings))


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
