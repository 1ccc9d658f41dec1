"""What follows from a decision for its own action: modified arguments, and what limits count of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from policies.limits import Charge, expired
from schemas.action import Action
from schemas.verdict import Effect, Verdict

HAPPENED = ("result", "outcome")
"""Phases that tell of what was done already: it counts, whatever is decided of it."""


def modify(verdict: Verdict, arguments: str) -> Verdict:
    """The verdict with the arguments that are to be used; a denial uses none."""
    if verdict.effect is Effect.deny:
        return verdict
    effect = Effect.modify if verdict.effect is Effect.allow else verdict.effect
    return replace(verdict, effect=effect, modified_arguments=arguments)


def count(
    action: Action, verdict: Verdict, charges: Sequence[Charge], cells: Mapping[str, bytes]
) -> tuple[Verdict, dict[str, bytes]]:
    """Count an action against its limits: what is left of them, and the cells that changed.

    What is allowed counts, modified or not, and what has happened already; what is denied, deferred or waits
    for an approval does not. A count of a session or tool that begins clears away those in which nothing
    counts any more.
    """
    counts = verdict.effect in (Effect.allow, Effect.modify) or action.get("phase") in HAPPENED
    changes: dict[str, bytes] = {}
    if counts:
        for charge in charges:
            if not charge.used and charge.limit.per:
                changes.update(dict.fromkeys(expired(charge.limit, cells, action.received_at), b""))
        for charge in charges:
            changes[charge.cell] = charge.after
    left = {charge.limit.name: charge.remaining(counts) for charge in charges}
    return replace(verdict, limits_remaining=left), changes
