"""Every detector in code, by its id. A new one is a file, a line here, its settings in `policies.model`."""

from collections.abc import Callable, Mapping
from typing import Any

from detections.burst import ID as DENIAL_BURST
from detections.burst import DenialBurst
from detections.single import Single
from schemas.verdict import Severity

Settings = Mapping[str, Any]


def _denial_burst(settings: Settings) -> Single:
    return DenialBurst(
        count=settings["count"],
        window_ms=settings["window_seconds"] * 1000,
        severity=Severity[settings["severity"]],
    )


DETECTORS: dict[str, Callable[[Settings], Single]] = {
    DENIAL_BURST: _denial_burst,
}
