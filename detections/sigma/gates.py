"""Which of a rule's comparisons tell that it need not be looked at: the rarest of those that must hold.

A gate is a set of keys, one of which is there in every action that the rule matches. A key is a literal in
the bytes of the action's deed (`Action.deed`) or, where it is sought in a field that is no part of the deed,
anywhere in its bytes; or the whole value of a field that is looked up. Gates of the deed go first: what they
say of one action holds for all that do the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from detections.sigma.fields import KEYWORDS
from detections.sigma.literals import literals
from detections.sigma.rule import And, Atom, Not, SigmaRule, atoms
from schemas.action import DEED

LOOKED_UP = ("action", "tool", "agent_id", "tenant")
"""Fields whose values are few, or that are looked up anyway: equality is a look-up instead of a literal."""
MOST_GATES = 4
"""Of one rule: all of them are there, or it is not looked at."""
RARE = 0.01
"""The share of actions from which one gate is enough."""


WORTH_ASKING = 0.3
"""The share of actions beyond which a further gate is not worth it: each time it is there it costs."""
MORE_COMMON = 3
"""How much more common than the first a further gate may be: evaluating in vain costs several finds."""


IN_DEED, ANYWHERE = "", "*"
"""What stands for the field of a literal: where it is sought."""


class Key(NamedTuple):
    """A literal (`field` is `IN_DEED` or `ANYWHERE`), or a field and its value; either folded."""

    field: str
    text: str


Gate = frozenset[Key]
Rarity = Callable[[Key], float]
"""The share of actions that a key is thought to be in."""


def is_of_deed(field: str) -> bool:
    """Whether what a rule asks of a field is asked of the deed alone."""
    holder = field.partition(".")[0]
    return holder in DEED or holder in ("args", KEYWORDS)


def tells_of_deed(gate: Gate) -> bool:
    """Whether a gate is there or not by the deed alone."""
    return all(not key.field or is_of_deed(key.field) for key in gate)


def find_gates(branch: Iterable[Any], rarity: Rarity) -> tuple[Gate, ...]:
    """The gates of conditions that are all to hold, the one first that lets the fewest actions pass.

    Of the others, those that are worth asking for; none at all if nothing must be there.
    """
    every = {gate for part in branch for gate in _gates(part, rarity)}
    found = {gate for gate in every if tells_of_deed(gate)} or every
    if not found:
        return ()
    first, *others = sorted(found, key=lambda gate: (weigh(gate, rarity), sorted(gate)))
    passed = weigh(first, rarity)
    if passed < RARE:
        return (first,)
    worth = min(WORTH_ASKING, MORE_COMMON * passed)
    return (first, *(gate for gate in others[: MOST_GATES - 1] if weigh(gate, rarity) < worth))


def _gates(condition: Any, rarity: Rarity) -> list[Gate]:
    if isinstance(condition, Atom):
        return keys(condition)
    if isinstance(condition, Not):
        return []
    if isinstance(condition, And):
        return [gate for part in condition.every for gate in _gates(part, rarity)]
    best = [
        min(_gates(part, rarity), key=lambda g: (not tells_of_deed(g), weigh(g, rarity)), default=None)
        for part in condition.some
    ]
    return [] if None in best else [frozenset(key for gate in best if gate for key in gate)]


def is_gated(condition: Any) -> bool:
    """Whether there are actions of which it is known without evaluating it that it does not hold."""
    return bool(_gates(condition, lambda key: 1.0))


def keys(atom: Atom) -> list[Gate]:
    """The gates of one comparison."""
    if atom.op == "is" and atom.field in LOOKED_UP and isinstance(atom.value, str):
        return [frozenset([Key(atom.field, atom.value.casefold())])]
    where = IN_DEED if is_of_deed(atom.field) else ANYWHERE
    return [frozenset(Key(where, text) for text in texts) for texts in literals(atom)]


def weigh(gate: Gate, rarity: Rarity) -> float:
    """The share of actions that a gate is thought to let pass."""
    return sum(rarity(key) for key in gate)


def _asked(rule: SigmaRule) -> set[Key]:
    return {key for atom in atoms(rule.condition) for gate in keys(atom) for key in gate}


def _guess(rules: Sequence[SigmaRule]) -> Rarity:
    """What keys are thought of uncounted: what many rules ask for is common, what is long is rare."""
    asked = Counter(key for rule in rules for key in _asked(rule))
    most = max(len(rules), 1)
    return lambda key: float(0.6 ** len(key.text)) + (asked[key] - 1) / most


def measured(rules: Sequence[SigmaRule], seen: Iterable[bytes]) -> Rarity:
    """What was counted in actions that were seen, which are the bytes of some records; a guess breaks ties.

    Values that are looked up are counted as literals are, so that they are thought a little too common.
    """
    guess = _guess(rules)
    texts = [text.lower() for text in seen]
    counted: dict[str, float] = {}

    def rarity(key: Key) -> float:
        if key.text not in counted:
            sought = key.text.encode()
            counted[key.text] = sum(sought in text for text in texts) / max(len(texts), 1)
        return counted[key.text] + guess(key) / max(len(texts), 1)

    return rarity
