"""Where one destination's events come from, which they are, and how fast they go."""

from dataclasses import dataclass, field

from consumers.delivery.choice import Choice
from consumers.delivery.feed import Start
from consumers.delivery.patience import Patience


@dataclass(frozen=True)
class Route:
    """Where events go, and which.

    Attributes:
        name: the destination's.
        topics: what it is fed from, whole names.
        choice: which of the records there it wants.
        start: where it begins at its very first start.
        most: events in one write.
        gather_seconds: how long events are gathered for one write, where fewer than `most` come.
        per_second: events a second at most; 0: as many as it takes.
        patience: how failures are waited out.
    """

    name: str
    topics: tuple[str, ...]
    choice: Choice = field(default_factory=Choice)
    start: Start = "latest"
    most: int = 500
    gather_seconds: float = 0.0
    per_second: float = 0.0
    patience: Patience = field(default_factory=Patience)
