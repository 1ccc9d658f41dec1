"""Live evaluation of a world, with restarts, and its comparison with brute force."""

from collections import Counter
from random import Random

from detections.detector import LARGEST_CELL
from detections.sigma.correlation.compiled import Correlations
from detections.sigma.correlation.model import Correlation
from detections.sigma.correlation.window import MOST_PAGES
from tests.detections.correlations.brute import brute
from tests.detections.correlations.streams import RULES, World, world

NUMBERS = {rule: 7 + i for i, rule in enumerate(RULES)}


def live(of: World, rng: Random | None = None) -> list[tuple[set[str], set[str]]]:
    """For each event what is on and what fires, the engine made anew from bundle and bytes now and then."""
    engine = Correlations(of.correlations, NUMBERS, of.skew_ms)
    cells: dict[str, bytes] = {"other": b"\x01"}
    told = []
    for event in of.events:
        if rng is not None and rng.random() < 0.1:
            again = [Correlation.model_validate(c.to_json()) for c in of.correlations]
            engine = Correlations(again, NUMBERS, of.skew_ms)
            cells = {name: bytes(bytearray(cell)) for name, cell in cells.items() if cell}
        matched = [NUMBERS[rule] for rule in event.matched]
        seen = engine.observe(event.action, matched, cells)
        assert not seen.errors, seen.errors
        cells |= seen.changes
        fires = {f.detector for f in seen.findings}
        assert fires <= set(seen.on)
        told.append((set(seen.on), fires))
    check_bound(cells, len(of.correlations))
    return told


def check_bound(cells: dict[str, bytes], correlations: int) -> None:
    """What is kept is within what is declared."""
    assert all(len(cell) <= LARGEST_CELL for cell in cells.values())
    assert sum(1 for name, cell in cells.items() if cell and name != "other") <= correlations * MOST_PAGES


def compare(seed: int) -> Counter[str]:
    """Evaluate a world both ways.

    Raises:
        AssertionError: they differ.
    """
    of = world(seed)
    found, expected = live(of, Random(seed)), brute(of)
    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one == other, f"world {seed}, event {place}: live {one}, brute force {other}"
    kinds = {c.name: c.kind for c in of.correlations}
    counts: Counter[str] = Counter(events=len(of.events))
    for on, fires in expected:
        counts.update(f"{kinds[name]} on" for name in on)
        counts.update(f"{kinds[name]} fires" for name in fires)
    return counts
