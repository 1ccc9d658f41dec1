"""Every detector in code, in the order in which they observe. A new one is a file, its cases, a line here."""

from detections.burst import DenialBurst
from detections.coded import Coded

DETECTORS: tuple[type[Coded], ...] = (DenialBurst,)
