"""What detectors in code cost on recorded traces, each by itself."""

import time
from typing import Any

from rich.progress import Progress

from cli.detect.judging import read_traces
from detections.detector import FAILURES
from detections.registry import DETECTORS

MOST_ACTIONS = 20_000


def costs_of(name: str, progress: Progress) -> dict[str, float]:
    """Microseconds of processor time that each takes on average, over all actions of any phase.

    With the settings that are its defaults, on the first `MOST_ACTIONS` actions; of whatever else the
    machine does at the same time, caches feel it.
    """
    detectors: list[Any] = [of() for of in DETECTORS]
    spent = dict.fromkeys((d.name for d in detectors), 0)
    count, trace = 0, ""
    cells: dict[str, bytes] = {}
    for line, actions in read_traces(name, progress):
        if line.trace_id != trace:
            trace, cells = line.trace_id, {}
        for action in actions:
            count += 1
            for detector in detectors:
                if action.phase not in detector.phases:
                    continue
                begun = time.process_time_ns()
                try:
                    changes = detector.observe(action, cells).changes
                except FAILURES:
                    changes = {}
                spent[detector.name] += time.process_time_ns() - begun
                cells.update(changes)
        if count >= MOST_ACTIONS:
            break
    return {name: round(ns / max(count, 1) / 1000, 1) for name, ns in spent.items()}
