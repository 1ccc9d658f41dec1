"""The `spending` cell: what an agent had used when the hour began, and what its last hours used."""

import struct
from dataclasses import dataclass

from detections.activity import read_activity
from schemas.usage import PER_USD

KEPT = 12
"""Hours whose sums are kept: of those, the median."""
VERSION = 2
FORGOTTEN = frozenset({1})
"""Versions whose sums nothing can be compared with: who has such a cell is learned anew."""
LAYOUT = struct.Struct(f"<BBBxIQQ{KEPT}f{KEPT}f")
HEAD = struct.Struct("<BBBxIQQ")
"""How it begins: version, told, hours held, the hour, tokens and cost before it, see `Hours`."""
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Hours:
    """What the cell holds.

    Attributes:
        hour: the newest in which anything was used, counted from 1970.
        tokens_before, cost_before: what the agent had used before it; the cost in billionths of a dollar.
        told: what was found in it.
        tokens, costs: of earlier hours, newest last; in dollars.
    """

    hour: int
    tokens_before: int
    cost_before: int
    told: int = 0
    tokens: tuple[float, ...] = ()
    costs: tuple[float, ...] = ()

    @classmethod
    def read(cls, cell: bytes) -> "Hours":
        """Read a cell.

        Raises:
            ValueError, struct.error: it is no spending cell.
        """
        version, told, held, hour, tokens, cost, *sums = LAYOUT.unpack(cell)
        if version != VERSION or held > KEPT:
            raise ValueError(f"a spending cell of version {version} with {held} hours")
        return cls(hour, tokens, cost, told, tuple(sums[:held]), tuple(sums[KEPT : KEPT + held]))

    def write(self) -> bytes:
        """The cell."""
        held = len(self.costs)
        rest = (0.0,) * (KEPT - held)
        head = (VERSION, self.told, held, self.hour, self.tokens_before, self.cost_before)
        return LAYOUT.pack(*head, *self.tokens, *rest, *self.costs, *rest)

    def turn(self, hour: int, tokens: int, cost: int) -> "Hours":
        """A new hour, before which so much had been used; the one that ends is kept."""
        return Hours(
            hour,
            tokens,
            cost,
            tokens=(*self.tokens, float(max(tokens - self.tokens_before, 0)))[-KEPT:],
            costs=(*self.costs, max(cost - self.cost_before, 0) / PER_USD)[-KEPT:],
        )


def begin(activity: bytes | None, hour: int, tokens: int, cost: int) -> Hours:
    """Of an agent without a cell: what it used before, if anything, it used in its first action's hour."""
    if not activity or not (tokens or cost):
        return Hours(hour, tokens, cost)
    return Hours(max(read_activity(activity).first_received_at // HOUR_MS, 0), 0, 0)
