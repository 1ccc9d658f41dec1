"""Accounts of detections on a screen, and as JSON."""

from collections.abc import Iterator
from typing import Any

from detections.explaining import ABSENT, Account, Step

SIGNS = {True: "+", False: "-", None: "?"}


def tell_account(account: Account, whole: bool = False) -> Iterator[str]:
    """An account, line by line; comparisons of fields that are absent only where all of it is wanted."""
    said = "found" if account.found else "holds" if account.held else "no"
    yield f"{account.name} ({account.level}): {said if account.held is not None else 'cannot be told'}"
    if account.why:
        yield f"  {account.why}"
    for step in account.steps:
        if step.saw == ABSENT and not step.held and not whole:
            continue
        yield f"  {'  ' * step.depth}{SIGNS[step.held]} {step.text}{f': saw {step.saw}' if step.saw else ''}"


def is_close(account: Account) -> bool:
    """Whether it is worth a look: it holds, cannot be told, or a comparison of it holds."""
    return account.found or account.held is not False or any(_positive(account.steps))


def _positive(steps: tuple[Step, ...]) -> Iterator[bool]:
    return (bool(step.held) for step in steps if step.saw)


def as_json(account: Account) -> dict[str, Any]:
    """The account as plain values."""
    return account._asdict() | {"steps": [step._asdict() for step in account.steps]}
