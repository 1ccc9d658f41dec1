"""What a silence or a window is for, in patterns; checked where it is set."""

from collections.abc import Mapping, Sequence

from documents.pattern import parse_pattern
from runtime.errors import PraetorError
from store.models import Scope

FIELDS = ("kind", "tenant", "agent", "detector", "severity", "tag", "subject")
"""What alerts are matched by; `subject` is an incident's id or an alert group's."""


def checked(patterns: Mapping[str, Sequence[str]]) -> Scope:
    """The scope without fields that ask nothing.

    Raises:
        PraetorError: nothing is asked, or a pattern is none; every mistake at once.
    """
    wrong = [
        f"unknown field {name!r}; there are {', '.join(FIELDS)}" for name in patterns.keys() - set(FIELDS)
    ]
    for name, each in patterns.items():
        for pattern in each:
            try:
                parse_pattern(pattern)
            except ValueError as error:
                wrong.append(f"{name}: {error}")
    scope = {name: list(each) for name, each in patterns.items() if each}
    if not scope and not wrong:
        wrong.append("say what is to be silent: at least one of " + ", ".join(FIELDS))
    if wrong:
        raise PraetorError("; ".join(sorted(wrong)))
    return scope
