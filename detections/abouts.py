"""Everything that detectors in code may find."""

from detections.about import About
from detections.registry import DETECTORS

ABOUTS: tuple[About, ...] = tuple(about for detector in DETECTORS for about in detector.abouts)
