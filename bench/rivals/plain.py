"""Rules and requests in plain data: what a rival's process is told, in an environment without Praetor."""

from collections.abc import Callable
from typing import Any, NamedTuple

MOST_COST = 100


class Rule(NamedTuple):
    """A rule of the measured sets.

    Attributes:
        name: its id.
        deny: else it allows.
        agent: whom it speaks of; "" for all.
        actions: of which one must be.
        folder: beneath which the resource must lie; "" for all.
        limit: the argument `limit` must not be above it, and the cost below `MOST_COST`; 0 asks for neither.
    """

    name: str
    deny: bool
    agent: str
    actions: list[str]
    folder: str
    limit: int


class Request(NamedTuple):
    """An action, as far as rules look at it; `folder` is what lies before `/src` in the resource."""

    agent: str
    action: str
    resource: str
    folder: str
    cost: float
    limit: int


Decide = Callable[[Any], bool]
"""Takes what `shape` made of a request; whether it is allowed."""


class Ready(NamedTuple):
    """A rival with its rules loaded: `shape` makes a request ready (not measured), `decide` is measured."""

    shape: Callable[[Request], Any]
    decide: Decide
