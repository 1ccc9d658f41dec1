"""A detector in code as the registry lists it: the detector, what is told of it, what can be set."""

from typing import Any, Protocol

from detections.about import About
from detections.detector import Detector


class Coded(Detector, Protocol):
    """A detector in code.

    Attributes:
        name: what its block of settings is called.
        abouts: one for each kind of finding; their ids are `ids`.
        Settings: what can be set: a model (`documents.types.Model`), every field with a default.
    """

    name: str
    abouts: tuple[About, ...]
    Settings: Any

    def __init__(self, settings: Any = None) -> None:
        """Take its settings; None for the defaults."""
        ...
