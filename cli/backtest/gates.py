"""Thresholds for CI: how much may change before a merge is held up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from judgement.tally import Tally
from runtime.errors import PraetorError

_LIMIT = re.compile(r"(\d+|\d+(?:\.\d+)?%)\Z")
PASSES = ("allow", "modify")


@dataclass(frozen=True)
class Gate:
    """A threshold, and what was found."""

    name: str
    limit: str
    found: int
    exceeded: bool


def check_limits(limits: Mapping[str, str | None]) -> None:
    """Look over thresholds before anything is judged.

    Raises:
        PraetorError: one is neither a number nor a percentage.
    """
    for name, limit in limits.items():
        if limit is not None and not _LIMIT.match(limit):
            raise PraetorError(
                f"--max-{name} {limit!r}: write a number of actions, as in 10, or a share, as in 0.5%"
            )


def gates_of(tally: Tally, limits: Mapping[str, str | None]) -> list[Gate]:
    """Each threshold that was given, and whether it is exceeded; shares are of the actions compared."""
    found = amounts(tally)
    return [
        Gate(name, limit, found[name], _exceeds(found[name], limit, tally.actions))
        for name, limit in limits.items()
        if limit is not None
    ]


def amounts(tally: Tally) -> dict[str, int]:
    """What thresholds are about.

    newly-denied: denied, which was not. newly-allowed: passes as it is, which did not, or passes modified,
    which was stopped. changed: another effect, or other modified arguments. errors: actions with errors that
    the old rules did not have.
    """
    kinds = tally.kinds()
    loosened = sum(
        count for (old, new), count in tally.transitions.items() if new == "modify" and old not in PASSES
    )
    return {
        "newly-denied": kinds.get("denied", 0),
        "newly-allowed": kinds.get("allowed", 0) + loosened,
        "changed": sum(kinds.values()),
        "errors": tally.errors.total,
    }


def _exceeds(found: int, limit: str, actions: int) -> bool:
    if limit.endswith("%"):
        return found * 100 > float(limit[:-1]) * actions
    return found > int(limit)
