"""Which faults come, in which order, how long: a function of the seed and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

LARGEST_STEP = 4
ALONE = {"supervisor"}


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: as the summary shows it.
        target: what it hits; a step holds at most one fault for each target.
        seconds: least and most seconds that it lasts.
    """

    name: str
    target: str
    seconds: tuple[float, float] = (0.0, 0.0)


# A zombie sleeps longer than its session (10 s) and than its transaction may last (9 s).
ZOMBIE = (11.5, 16.0)
SHORT = (0.5, 4.0)

KINDS = (
    Kind("govern killed", "govern"),
    Kind("govern frozen: zombie", "govern", ZOMBIE),
    Kind("govern frozen: short", "govern", SHORT),
    Kind("govern told to stop", "govern"),
    Kind("every govern killed", "govern"),
    Kind("govern joins or leaves", "membership"),
    Kind("archive killed", "archive"),
    Kind("archive frozen: zombie", "archive", ZOMBIE),
    Kind("archive told to stop", "archive"),
    Kind("archive joins or leaves", "membership"),
    Kind("broker stopped", "broker"),
    Kind("broker killed", "broker"),
    Kind("broker killed in a transaction", "broker"),
    Kind("broker frozen: short", "broker", SHORT),
    Kind("broker frozen: long", "broker", ZOMBIE),
    Kind("broker's disk full", "broker", (3.0, 8.0)),
    Kind("clickhouse stopped", "clickhouse"),
    Kind("clickhouse killed", "clickhouse"),
    Kind("clickhouse frozen", "clickhouse", (1.0, 12.0)),
    Kind("insert's answer lost", "clickhouse"),
    Kind("insert's answer lost, clickhouse killed", "clickhouse"),
    Kind("supervisor killed", "supervisor"),
    Kind("second supervisor", "second"),
    Kind("min.insync.replicas raised", "settings", (2.0, 8.0)),
    Kind("max.message.bytes lowered", "settings", (2.0, 8.0)),
    Kind("topics compacted eagerly", "settings", (2.0, 8.0)),
    Kind("clock of outputs changed", "settings", (2.0, 8.0)),
)


@dataclass(frozen=True)
class Fault:
    """One fault: after `delay` seconds of its step it hits the `choice`-th of what it may hit."""

    number: int
    kind: Kind
    delay: float
    seconds: float
    choice: int


def schedule(seed: int, count: int, kinds: tuple[Kind, ...] = KINDS) -> list[list[Fault]]:
    """Return steps of faults that come together; every kind comes before any comes again."""
    rng = Random(f"chaos/{seed}")
    faults = [
        _fault(rng, number, kind) for number, kind in zip(range(count), _deal(rng, kinds), strict=False)
    ]
    steps: list[list[Fault]] = []
    while faults:
        taken: list[Fault] = []
        size = rng.randint(1, LARGEST_STEP)
        for fault in faults:
            if len(taken) < size and _fits(fault, taken):
                taken.append(fault)
        steps.append(taken)
        faults = [fault for fault in faults if fault not in taken]
    return steps


def _fits(fault: Fault, taken: list[Fault]) -> bool:
    targets = {other.kind.target for other in taken}
    return not taken or not (fault.kind.target in targets or ALONE & {fault.kind.target, *targets})


def _deal(rng: Random, kinds: tuple[Kind, ...]) -> Iterator[Kind]:
    while True:
        yield from rng.sample(kinds, len(kinds))


def _fault(rng: Random, number: int, kind: Kind) -> Fault:
    return Fault(number, kind, rng.uniform(0, 2), rng.uniform(*kind.seconds), rng.randrange(1 << 16))
