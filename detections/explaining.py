"""Why a detection finds an action, or does not: every comparison of every rule, and what it saw.

Evaluated as `detections.sigma.naive` does, comparison by comparison; correlations by what workers run.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from detections.loading import Loaded
from detections.sigma.correlation.model import Correlation
from detections.sigma.fields import make_reader, text_of
from detections.sigma.naive import holds
from detections.sigma.rule import And, Atom, Condition, Not, SigmaRule, parts
from detections.trying import Trial
from schemas.action import Action
from schemas.arguments import Unreadable

LONGEST = 120
"""Characters of a value that is shown."""
MOST = 3
"""Values of a field that are shown."""
ABSENT = "absent"
"""What is seen of a field without a value."""


class Step(NamedTuple):
    """One line of an account.

    Attributes:
        depth: how deep it stands in the condition.
        held: whether it is true; None: it cannot be told.
        text: what is asked.
        saw: what is there; empty for what joins others.
    """

    depth: int
    held: bool | None
    text: str
    saw: str


class Account(NamedTuple):
    """What is to be said of one detection and one action.

    Attributes:
        name: the detection.
        title: its title.
        level: how bad it is.
        found: whether the action completes a finding of it.
        held: whether its condition is true; None: it cannot be told.
        why: why it was not looked at further, in words; else empty.
        steps: the condition, line by line.
    """

    name: str
    title: str
    level: str
    found: bool
    held: bool | None
    why: str
    steps: tuple[Step, ...]


def explain_all(loaded: Loaded, actions: Sequence[Action]) -> list[Account]:
    """An account of each detection for the last of some actions, those before it being history."""
    found, _ = list(Trial(loaded).run(actions))[-1]
    last = actions[-1]
    return [_account(p.rule, last, found, loaded, actions) for p in loaded.placed.values()]


def _account(
    rule: SigmaRule | Correlation,
    action: Action,
    found: frozenset[str],
    loaded: Loaded,
    actions: Sequence[Action],
) -> Account:
    head = (rule.name, rule.title, rule.level, rule.name in found)
    if isinstance(rule, Correlation):
        return Account(*head, rule.name in found, _correlated(rule, loaded, actions), ())
    if rule.phase is not None and rule.phase != action.phase:
        return Account(*head, False, f"it looks at phase {rule.phase}, this is {action.phase}", ())
    steps = tuple(_steps(rule.condition, action, 0))
    return Account(*head, holds(rule, action), "", steps)


def _correlated(rule: Correlation, loaded: Loaded, actions: Sequence[Action]) -> str:
    """How often each of its rules held; correlations among them are not counted."""
    by_name = {r.name: r for r in loaded.rules}
    counts = [
        f"{name} held at {sum(bool(holds(by_name[name], a)) for a in actions)}"
        for name in rule.rules
        if name in by_name
    ]
    return f"{', '.join(counts)} of {len(actions)} actions; {rule.kind} within {rule.timespan} s"


def _steps(condition: Condition, action: Action, depth: int) -> Iterator[Step]:
    if isinstance(condition, Atom):
        yield _compared(condition, action, depth)
        return
    own = SigmaRule(name="part", title="part", condition=condition)
    word = "not" if isinstance(condition, Not) else "all of" if isinstance(condition, And) else "one of"
    yield Step(depth, holds(own, action), word, "")
    for part in parts(condition):
        yield from _steps(part, action, depth + 1)


def _compared(atom: Atom, action: Action, depth: int) -> Step:
    own = SigmaRule(name="part", title="part", condition=atom)
    flags = f" ({atom.flags})" if atom.flags else ""
    text = f"{atom.field} {atom.op} {_short(atom.value)}{flags}"
    return Step(depth, holds(own, action), text, _saw(atom, action))


def _saw(atom: Atom, action: Action) -> str:
    try:
        values = make_reader(atom.field)(action)
    except Unreadable as error:
        return f"the arguments cannot be read: {error}"
    if not values:
        return ABSENT
    shown = [_short(text_of(value)) for value in values[:MOST]]
    return ", ".join(shown) + (f" and {len(values) - MOST} more" if len(values) > MOST else "")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."
