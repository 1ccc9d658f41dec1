"""What a check comes to."""

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Check:
    """One line of the doctor's report.

    Attributes:
        name: what was looked at.
        state: `warning` works today, but will not for long, or not as well as it could.
        found: what was seen, with figures.
        remedy: what to do about it; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """The line for machines."""
        return asdict(self)


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, "ok", found)


def warning(name: str, found: str, remedy: str) -> Check:
    """It works, but look at it."""
    return Check(name, "warning", found, remedy)


def failed(name: str, found: str, remedy: str) -> Check:
    """It does not work."""
    return Check(name, "failed", found, remedy)


def skipped(name: str, why: str) -> Check:
    """Not looked at."""
    return Check(name, "skipped", why)
