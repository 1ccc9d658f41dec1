"""The arguments of an action, for judging: what cannot be read cannot be judged."""

from typing import Any

from policies.errors import Unjudgeable
from schemas import arguments
from schemas.action import Action


def parse_arguments(text: str | None) -> dict[str, Any]:
    """The arguments as JSON; none are an empty mapping.

    Raises:
        Unjudgeable: they are no JSON object, or can be read in two ways (a key twice).
    """
    try:
        return arguments.parse_arguments(text)
    except arguments.Unreadable as error:
        raise Unjudgeable(str(error)) from error


def arguments_of(action: Action) -> dict[str, Any]:
    """An action's arguments, parsed once for all who ask: not to be changed.

    Raises:
        Unjudgeable: as `parse_arguments`.
    """
    try:
        return action.parsed()
    except arguments.Unreadable as error:
        raise Unjudgeable(str(error)) from error
