"""Every kind of correlation equals brute force; `python -m tests.detections.correlations.soak` tries more."""

from collections import Counter

from detections.sigma.correlation.model import KINDS
from tests.detections.correlations.comparing import compare

STREAMS = 180


def test_random_streams_with_late_events_and_restarts_equal_brute_force() -> None:
    seen: Counter[str] = Counter()
    for seed in range(STREAMS):
        seen += compare(seed)
    assert all(seen[f"{kind} {what}"] > 20 for kind in KINDS for what in ("on", "fires")), seen
