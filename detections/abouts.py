"""Everything that detectors in code may find: one explicit table."""

from detections.about import About
from detections.behaviour.baseline import Baseline
from detections.behaviour.delegation import Delegation
from detections.behaviour.loops import Loops
from detections.behaviour.sequences import Sequences
from detections.behaviour.spending import Spending
from detections.behaviour.surprise import Surprise
from detections.behaviour.velocity import Velocity

ABOUTS: tuple[About, ...] = tuple(
    about
    for detector in (Velocity, Loops, Spending, Baseline, Surprise, Delegation, Sequences)
    for about in detector.abouts
)
