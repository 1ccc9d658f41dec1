"""Every detector in code, in the order in which they observe. A new one is a file, its cases, a line here."""

from detections.behaviour.baseline import Baseline
from detections.behaviour.delegation import Delegation
from detections.behaviour.loops import Loops
from detections.behaviour.sequences import Sequences
from detections.behaviour.spending import Spending
from detections.behaviour.surprise import Surprise
from detections.behaviour.velocity import Velocity
from detections.burst import DenialBurst
from detections.coded import Coded
from detections.content.definitions import Definitions
from detections.content.hidden import Hidden
from detections.content.pii import Pii
from detections.content.secrets import Secrets
from detections.flow.flow import Flow

DETECTORS: tuple[type[Coded], ...] = (
    DenialBurst,
    Velocity,
    Loops,
    Spending,
    Baseline,
    Surprise,
    Delegation,
    Sequences,
    Secrets,
    Pii,
    Hidden,
    Definitions,
    Flow,
)
