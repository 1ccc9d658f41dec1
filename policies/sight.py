"""What rules see of one action: each value is read once, when it is first asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from policies.arguments import arguments_of
from policies.cel import LONGS, TEXTS, Program, activate_in, environment, holds
from policies.conditions import Comparison, Demand
from policies.errors import Unjudgeable
from policies.limits import NOT_TOLD, Charge, Spent, charge, is_over
from policies.signals import Signals, names_of
from schemas.action import Action

Cells = Mapping[str, bytes]
Reader = Callable[[Action, Cells], Mapping[str, int]]
"""What `agent.<name>` and `session.<name>` are, by whole name, read from an agent's cells."""


class World(NamedTuple):
    """What is the same for all actions that the same rules are candidates for.

    Attributes:
        names: every variable that some condition uses.
        arguments: the top-level arguments that conditions look at; None for all.
        lists: the named lists.
        read: reads `agent` and `session` from cells.
        readers: each of `names` with what reads it.
        detections: the bundle's names, in the order of their bits.
        environment: what makes values ready for several conditions; None where there is one at most.
    """

    names: tuple[str, ...]
    arguments: frozenset[str] | None
    lists: Mapping[str, list[str]]
    read: Reader
    readers: tuple[tuple[str, "Reading"], ...]
    detections: tuple[str, ...]
    environment: Any


def make_world(
    programs: list[Program], lists: Mapping[str, list[str]], read: Reader, detections: tuple[str, ...]
) -> World:
    """What some conditions look at, all together."""
    names = sorted({name for program in programs for name in program.names})
    wanted: frozenset[str] | None = frozenset()
    for program in programs:
        wanted = None if wanted is None or program.arguments is None else wanted | program.arguments
    readers = tuple((name, reading(name, wanted)) for name in names)
    within = environment(tuple(sorted(lists))) if len(programs) > 1 else None
    return World(tuple(names), wanted, lists, read, readers, detections, within)


class Sight:
    """What the rules of one bundle see of one action; each value is read once, when first asked for."""

    __slots__ = (
        "_activation",
        "_failed",
        "_seen",
        "_values",
        "action",
        "cells",
        "signals",
        "spent",
        "world",
    )

    def __init__(
        self, world: World, action: Action, signals: Signals, cells: Cells, spent: Spent = NOT_TOLD
    ) -> None:
        """Look at an action of an agent with these cells."""
        self.world = world
        self.action = action
        self.signals = signals
        self.cells = cells
        self.spent = spent
        self._values: dict[str, Any] = {}
        self._activation: Any = None
        self._seen: dict[str, Any] | None = None
        self._failed: dict[str, str] = {}

    def hold(self, demand: Demand) -> tuple[bool, Charge | None]:
        """Whether what a rule demands holds, and what its limit would count of this action.

        Raises:
            Unjudgeable: it cannot be told.
        """
        if not self._compare(demand.comparisons):
            return False, None
        if demand.program is not None and not self._holds(demand.program):
            return False, None
        if demand.limit is None:
            return True, None
        counted = charge(demand.limit, self.action, self.cells, self.spent)
        return is_over(counted), counted

    def _compare(self, comparisons: tuple[Comparison, ...]) -> bool:
        held = True
        for field, tests in comparisons:
            value = self._values.get(field)
            if value is None:
                value = self._values[field] = self.action.get(field)
            if value.__class__ not in (int, float) or value != value:
                raise Unjudgeable(f"{field} is {value!r}, which cannot be compared with a number")
            held = held and all(compare(value, number) for compare, number in tests)
        return held

    def _holds(self, program: Program) -> bool:
        if self._seen is None:
            seen = self._see()
            if self.world.environment is not None:
                self._activation = activate_in(self.world.environment, seen)
            self._seen = seen
        if self._failed:
            for name in program.names:
                if name in self._failed:
                    raise Unjudgeable(self._failed[name])
        return holds(program, self._activation, self._seen)

    def _see(self) -> dict[str, Any]:
        """All values that conditions use; one that cannot be had fails only those that use it."""
        values: dict[str, Any] = {}
        for name, read in self.world.readers:
            try:
                values[name] = read(self)
            except Unjudgeable as error:
                self._failed[name] = str(error)
        return values

    def value(self, name: str) -> Any:
        """What a variable stands for.

        Raises:
            Unjudgeable: it cannot be had.
        """
        return reading(name, self.world.arguments)(self)

    def arguments(self) -> dict[str, Any]:
        """The arguments, parsed; none are an empty mapping.

        Raises:
            Unjudgeable: they are no JSON object, or can be read in two ways (a key twice).
        """
        return arguments_of(self.action)


Reading = Callable[[Sight], Any]
"""Reads one variable; raises Unjudgeable where it cannot be had."""


def reading(name: str, wanted: frozenset[str] | None) -> Reading:
    """What reads a variable: which of them it is, is asked once for a set of rules, not at each action.

    Args:
        name: one of `cel.VARIABLES`, or `lists.<name>`.
        wanted: of `args`, the top-level arguments that conditions look at; None for all.
    """
    holder, _, field = name.partition(".")
    if holder == "action":
        return _field(field)
    if holder == "lists":
        return lambda sight: sight.world.lists[field]
    if holder in ("agent", "session"):
        return lambda sight: sight.world.read(sight.action, sight.cells)[name]
    if name == "args":
        return _arguments(wanted)
    return _READINGS[name]


def _field(field: str) -> Reading:
    if field in TEXTS:
        return lambda sight: sight.action.get(field) or ""
    if field in LONGS:
        return lambda sight: int(sight.action.get(field))
    return lambda sight: sight.action.get(field)


def _arguments(wanted: frozenset[str] | None) -> Reading:
    if wanted is None:
        return Sight.arguments

    def some(sight: Sight) -> dict[str, Any]:
        found = arguments_of(sight.action)
        return {key: found[key] for key in wanted if key in found}

    return some


_READINGS: Mapping[str, Reading] = {
    "detections": lambda sight: names_of(sight.world.detections, sight.signals.on),
    "recent_detections": lambda sight: names_of(sight.world.detections, sight.signals.recent),
    "risk": lambda sight: sight.signals.risk,
    "time": lambda sight: moment(sight.action.received_at),
}


def moment(received_at: int) -> datetime:
    """A time in milliseconds as CEL knows it.

    Raises:
        Unjudgeable: it lies beyond the year 9999.
    """
    try:
        return datetime.fromtimestamp(received_at / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unjudgeable(f"received_at is {received_at}, which is no time") from error
