"""What a process knows of its own health: told by its event loop, asked by another thread.

Liveness is whether a restart would help: the loop stands still, or a piece of work does not get on although
nothing it waits for is away. Readiness is whether the process does its work now.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

STUCK_SECONDS = 30.0

Facts = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """One thing that readiness asks, and what was found; `facts` are JSON values."""

    ok: bool
    facts: Facts = field(default_factory=dict)


class Watch:
    """What one piece of work does now. Its loop says so on each turn; any thread may read it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now: tuple[str, float, float | None] = ("starting", clock(), None)

    def does(self, what: str, within: float | None = STUCK_SECONDS) -> None:
        """Say what is done from now on.

        Args:
            what: in words.
            within: seconds after which it counts as stuck; None where it waits for what a restart of this
                process does not bring back (a broker, ClickHouse, a person).
        """
        self._now = (what, self._clock(), within)

    def stuck(self) -> str:
        """What it is stuck in, and for how long; "" if it is not."""
        what, since, within = self._now
        seconds = self._clock() - since
        return f"{what} for {seconds:.0f} s" if within is not None and seconds > within else ""

    @property
    def doing(self) -> str:
        """What it said last."""
        return self._now[0]


class Health:
    """All that is known of one process. Checks run in the asking thread: they must be quick and only read."""

    def __init__(self, stuck_seconds: float = STUCK_SECONDS) -> None:
        self.stuck_seconds = stuck_seconds
        self.watches: dict[str, Watch] = {}
        self._checks: dict[str, Callable[[], Check]] = {}
        self._beat: float | None = None

    def beat(self) -> None:
        """Called by the loop every second."""
        self._beat = time.monotonic()

    def beat_age(self) -> float:
        """Seconds since the loop's last beat; 0 before the first."""
        return 0.0 if self._beat is None else time.monotonic() - self._beat

    def check(self, name: str, ask: Callable[[], Check]) -> None:
        """Have readiness ask this too."""
        self._checks[name] = ask

    def live(self) -> tuple[bool, Facts]:
        """Whether a restart is not called for, and the body that says why."""
        age = self.beat_age()
        problems = [f"event loop stands still for {age:.0f} s"] if age > self.stuck_seconds else []
        for name, watch in list(self.watches.items()):
            if stuck := watch.stuck():
                problems.append(f"{name}: {stuck}")
        return not problems, {
            "status": "stuck" if problems else "live",
            "problems": problems,
            "beat_age_seconds": round(age, 3),
            "doing": {name: watch.doing for name, watch in list(self.watches.items())},
        }

    def ready(self) -> tuple[bool, Facts]:
        """Whether all checks are well, and the body with each."""
        found = {name: ask() for name, ask in list(self._checks.items())}
        failing = [name for name, check in found.items() if not check.ok]
        live, _ = self.live()
        ready = live and bool(found) and not failing
        return ready, {
            "status": "ready" if ready else ("not ready" if found else "starting"),
            "failing": failing if live else ["live", *failing],
            "checks": {name: {"ok": check.ok, **check.facts} for name, check in found.items()},
        }


class Confirmed:
    """When something was last seen to answer."""

    def __init__(self, within: float) -> None:
        self.within = within
        self._at: float | None = None

    def now(self, at: float | None = None) -> None:
        """It answers now (or did at this monotonic second)."""
        self._at = time.monotonic() if at is None else at

    def age(self) -> float | None:
        """Seconds since; None if it has never answered."""
        return None if self._at is None else time.monotonic() - self._at

    def check(self) -> Check:
        """Well while it has answered recently enough."""
        age = self.age()
        facts: Facts = {"age_seconds": None if age is None else round(age, 3), "within_seconds": self.within}
        return Check(age is not None and age <= self.within, facts)
