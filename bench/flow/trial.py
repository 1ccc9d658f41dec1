"""Trials of fitted weights on traces that they were not fitted to."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from bench.flow.fit import Weights, compared, fit, strength
from bench.flow.histories import History
from cli.detect.quality import Stop
from detections.flow.flow import FlowSettings
from detections.flow.weights import READ_IS_NOT_DONE, probability

Stops = dict[str, list[Stop]]
Group = Callable[[History], str]
FLOOR = FlowSettings().least_risk


def stops_of(all_of: list[History], weights: Weights, phases: str = "call result") -> Stops:
    """What the detector would say of each call and result."""
    stops: Stops = defaultdict(list)
    if "call" in phases:
        for row in compared(all_of, weights.directive):
            power = round(100 * (float((row.signs @ weights.call[:-1]).max()) + float(weights.call[-1])))
            stops[row.history.label.trace_id].append(Stop(row.step, True, probability(power)))
    if "result" in phases:
        for history in all_of:
            for step in history.steps:
                if step.reads:
                    power = max(strength(weights.directive, read.signs) for read in step.reads)
                    risk = probability(power + READ_IS_NOT_DONE)
                    stops[history.label.trace_id].append(Stop(step.number + 1, False, risk))
    return {trace: [s for s in own if s.risk >= FLOOR] for trace, own in stops.items()}


def left_out(
    all_of: list[History], group: Group, off: frozenset[str] = frozenset(), phases: str = "call result"
) -> Stops:
    """Each group's traces by weights that were fitted to all other groups."""
    stops: Stops = {}
    for name in sorted({group(h) for h in all_of}):
        others = [h for h in all_of if group(h) != name]
        weights = fit(others, off)
        stops |= stops_of([h for h in all_of if group(h) == name], weights, phases)
    return stops


def hundredths(weights: np.ndarray) -> list[int]:
    """Weights as the detector's table has them."""
    return [round(100 * float(w)) for w in weights]
