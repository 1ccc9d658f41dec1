"""The `habits` cell: at which hours an agent is active, and how much it does in one."""

import struct
from dataclasses import dataclass, field
from statistics import median

KEPT = 24
"""Active hours whose volumes are kept."""
ENOUGH = 12
"""Active hours from which a limit is told."""
MAD_TO_DEVIATION = 1.4826
"""A normal distribution's median absolute deviation, times this, is its standard deviation: 1/Φ⁻¹(3/4)."""

VERSION = 1
HEAD = struct.Struct("<BBIIQ")
"""How it begins: version, told, hour, limit and start, see `Habits`."""
_LAYOUT = struct.Struct(f"<BBIIQHBB24s{KEPT}I")
_NO_LIMIT = 2**32 - 1


@dataclass(slots=True)
class Habits:
    """What is known of an agent's hours.

    Attributes:
        hour: the newest active hour, counted from 1970.
        start: actions that the agent had done before it.
        limit: how many in it are too many.
        told: whether that was told.
        days: different active days.
        restless: new things met lately: halved each active day.
        hours: for each hour of the day, on how many days it was active then (up to 255).
        volumes: actions of the last active hours, newest last.
    """

    hour: int
    start: int
    limit: int = _NO_LIMIT
    told: int = 0
    days: int = 1
    restless: int = 0
    hours: bytearray = field(default_factory=lambda: bytearray(24))
    volumes: tuple[int, ...] = ()

    @classmethod
    def begin(cls, hour: int, before: int) -> "Habits":
        """Of an agent about which nothing is known."""
        habits = cls(hour, before)
        habits.hours[hour % 24] = 1
        return habits

    @classmethod
    def read(cls, cell: bytes) -> "Habits":
        """Read a cell.

        Raises:
            ValueError, struct.error: it is no habits cell.
        """
        version, told, hour, limit, start, days, restless, held, hours, *volumes = _LAYOUT.unpack(cell)
        if version != VERSION or held > KEPT:
            raise ValueError(f"a habits cell of version {version} with {held} volumes")
        kept = tuple(volumes[:held])
        return cls(hour, start, limit, told, days, restless, bytearray(hours), kept)

    def write(self) -> bytes:
        """The cell."""
        held = len(self.volumes)
        rest = (0,) * (KEPT - held)
        first = (VERSION, self.told, self.hour, self.limit, self.start, self.days, self.restless, held)
        return _LAYOUT.pack(*first, bytes(self.hours), *self.volumes, *rest)

    def turn(self, hour: int, before: int, thresholds: tuple[float, float, int]) -> None:
        """Another hour begins, before which the agent had done so many actions.

        `thresholds`: deviations above the median, times the most, and never fewer.
        """
        self.volumes = (*self.volumes, min(before - self.start, _NO_LIMIT))[-KEPT:]
        if hour // 24 > self.hour // 24:
            self.days = min(self.days + 1, 65_535)
            self.restless //= 2
        of_day = hour % 24
        if self.hours[of_day] == 255:
            self.hours = bytearray(h // 2 for h in self.hours)
        self.hours[of_day] += 1
        self.hour, self.start, self.told = hour, before, 0
        self.limit = self._limit(thresholds)

    def _limit(self, thresholds: tuple[float, float, int]) -> int:
        if len(self.volumes) < ENOUGH:
            return _NO_LIMIT
        deviations, factor, floor = thresholds
        middle = median(self.volumes)
        spread = MAD_TO_DEVIATION * median(abs(v - middle) for v in self.volumes)
        return int(min(max(middle + deviations * spread, factor * max(self.volumes), floor), _NO_LIMIT))
