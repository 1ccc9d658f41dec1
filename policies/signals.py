"""What detections say of one action: bits, as policies know no more of them than their names."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

BEFORE = ("denial-burst", "source-duplicate", "source-gap", "source-regression")
"""The names in bundles that do not list any: those of engines 1 to 3."""


class Detected(NamedTuple):
    """What a bundle carries of detections.

    Attributes:
        content: what they are made of; `detections` alone knows what it means.
        names: all that rules may match, sorted; None: those that bundles had before they listed them.
    """

    content: Mapping[str, JsonValue]
    names: tuple[str, ...] | None


AS_BEFORE = Detected({}, None)


class Signals(NamedTuple):
    """What detections say of one action, a bit for each of the bundle's names in their order.

    Attributes:
        on: what is on in this very judgement.
        recent: what earlier actions revealed, as long as it is held.
        risk: 0 to 1: how likely the action is the work of a hijacked agent.
    """

    on: int = 0
    recent: int = 0
    risk: float = 0.0


QUIET = Signals()


def bits_of(names: Sequence[str], wanted: Iterable[str]) -> int:
    """The bits of some names; one that is not there has none."""
    return sum(1 << names.index(name) for name in set(wanted) if name in names)


def names_of(names: Sequence[str], bits: int) -> list[str]:
    """The names of some bits, in their order."""
    return [name for i, name in enumerate(names) if bits >> i & 1]
