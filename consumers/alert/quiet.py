"""What is not to be told now: silences and maintenance windows, as they were set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from consumers.alert.match import Labels, Test, any_of


@dataclass(frozen=True)
class Mute:
    """A silence or a maintenance window, compiled.

    `every`: it comes again after so many milliseconds, until `until`; 0: once.
    """

    name: str
    tests: Mapping[str, Test]
    starts: int
    ends: int
    every: int = 0
    until: int | None = None

    def on(self, now: int) -> bool:
        """Whether it is on at a moment."""
        if now < self.starts or (self.until is not None and now >= self.until):
            return False
        since = (now - self.starts) % self.every if self.every else now - self.starts
        return since < self.ends - self.starts

    def covers(self, labels: Labels) -> bool:
        """Whether all of it is meant: a group with one agent that is not meant is told.

        A field without a value is not meant.
        """
        for name, test in self.tests.items():
            values = labels[name]
            if not values or not all(map(test, values)):
                return False
        return True


def mute(name: str, scope: Mapping[str, Sequence[str]], starts: int, ends: int) -> Mute:
    """A silence, compiled from its patterns."""
    return Mute(name, {field: any_of(patterns) for field, patterns in scope.items()}, starts, ends)


@dataclass(frozen=True)
class Quiet:
    """What people have set, as it is known now; nothing is set at first.

    Attributes:
        mutes: silences and windows.
        seen: what somebody sees to, by whom: ids of groups and incidents.
    """

    mutes: Sequence[Mute] = ()
    seen: Mapping[str, str] = field(default_factory=dict)

    def why(self, labels: Labels, now: int) -> str:
        """Which silence or window covers this now; "" where none does."""
        return next((m.name for m in self._on(now) if m.covers(labels)), "")

    def _on(self, now: int) -> Iterable[Mute]:
        return (m for m in self.mutes if m.on(now))
