"""What a bundle says of each kind of finding: its bit, whether it is looked for, how bad it is, its hold."""

from collections.abc import Sequence
from typing import NamedTuple

from detections.about import HOLD_SECONDS
from detections.carried import Content
from detections.settings import Tuning
from detections.source import IDS as SOURCE_IDS
from schemas.verdict import Severity


class Kind(NamedTuple):
    """One kind of finding.

    Attributes:
        bit: what rules see of it; 0 where the bundle does not list its name.
        enabled: whether it is looked for.
        severity: what was set; None for the finding's own.
        hold_ms: how long later actions see it.
    """

    bit: int
    enabled: bool = True
    severity: Severity | None = None
    hold_ms: int = HOLD_SECONDS * 1000


def kinds_of(content: Content, names: Sequence[str]) -> dict[str, Kind]:
    """Every kind by its name: those that the bundle lists, and those of code that it does not."""
    bits = {name: 1 << i for i, name in enumerate(names)}
    every = {*SOURCE_IDS, *bits}
    kinds = {n: _kind(bits.get(n, 0), content.settings.tuning(n), Tuning(), HOLD_SECONDS) for n in every}
    for detector in content.settings.detectors:
        whole = content.settings.tuning(detector.name)
        for about in detector.abouts:
            own = content.settings.tuning(about.id)
            kinds[about.id] = _kind(bits.get(about.id, 0), own, whole, about.hold_seconds)
    return kinds


def _kind(bit: int, own: Tuning, whole: Tuning, hold_seconds: int) -> Kind:
    """`own` is what is set of the kind; `whole` of the detector that it is of."""
    severity = own.severity or whole.severity
    holds = (own.hold_seconds, whole.hold_seconds, hold_seconds)
    return Kind(
        bit,
        own.enabled is not False and whole.enabled is not False,
        Severity[severity] if severity else None,
        1000 * next(seconds for seconds in holds if seconds is not None),
    )
