"""Which of a rule's comparisons tell that it need not be looked at: the rarest of those that must hold.

A gate is a set of keys, one of which is there in every action that the rule matches. A key is a literal in
the action's bytes, or the whole value of a field that is looked up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from detections.sigma.literals import literals
from detections.sigma.rule import And, Atom, Not, SigmaRule, atoms

LOOKED_UP = ("action", "tool", "agent_id", "tenant")
"""Fields whose values are few, or that are looked up anyway: equality is a look-up instead of a literal."""
MOST_GATES = 4
"""Of one rule: all of them are there, or it is not looked at."""
RARE = 0.01
"""The share of actions from which one gate is enough."""


class Key(NamedTuple):
    """A literal (`field` is empty), or a field and its value; either folded."""

    field: str
    text: str


Gate = frozenset[Key]
Rarity = Callable[[Key], float]
"""The share of actions that a key is thought to be in."""


def find_gates(condition: Any, rarity: Rarity) -> tuple[Gate, ...]:
    """The gates of a condition, the one first that is thought to let the fewest actions pass."""
    found = sorted(set(_gates(condition, rarity)), key=lambda gate: (weigh(gate, rarity), sorted(gate)))
    return tuple(found[: 1 if found and weigh(found[0], rarity) < RARE else MOST_GATES])


def _gates(condition: Any, rarity: Rarity) -> list[Gate]:
    if isinstance(condition, Atom):
        return keys(condition)
    if isinstance(condition, Not):
        return []
    if isinstance(condition, And):
        return [gate for part in condition.every for gate in _gates(part, rarity)]
    best = [
        min(_gates(part, rarity), key=lambda g: weigh(g, rarity), default=None) for part in condition.some
    ]
    return [] if None in best else [frozenset(key for gate in best if gate for key in gate)]


def keys(atom: Atom) -> list[Gate]:
    """The gates of one comparison."""
    if atom.op == "is" and atom.field in LOOKED_UP and isinstance(atom.value, str):
        return [frozenset([Key(atom.field, atom.value.casefold())])]
    return [frozenset(Key("", text) for text in texts) for texts in literals(atom)]


def weigh(gate: Gate, rarity: Rarity) -> float:
    """The share of actions that a gate is thought to let pass."""
    return sum(rarity(key) for key in gate)


def _asked(rule: SigmaRule) -> set[Key]:
    return {key for atom in atoms(rule.condition) for gate in keys(atom) for key in gate}


def guessed(rules: Sequence[SigmaRule]) -> Rarity:
    """What is thought of keys when no actions have been seen.

    What many rules ask for is common: a kind of action, a tool. A literal is the rarer the longer it is.
    """
    asked = Counter(key for rule in rules for key in _asked(rule))
    most = max(len(rules), 1)

    def rarity(key: Key) -> float:
        shared = (asked[key] - 1) / most
        if key.field or key.text.startswith('"'):  # a kind of action; what an argument is called
            return 0.2 + shared
        return float(0.6 ** len(key.text)) + shared

    return rarity


def measured(rules: Sequence[SigmaRule], seen: Iterable[bytes]) -> Rarity:
    """What was counted in actions that were seen, which are the bytes of some records; a guess breaks ties.

    Values that are looked up are counted as literals are, so that they are thought a little too common.
    """
    guess = guessed(rules)
    texts = [text.lower() for text in seen]
    counted: dict[str, float] = {}

    def rarity(key: Key) -> float:
        if key.text not in counted:
            sought = key.text.encode()
            counted[key.text] = sum(sought in text for text in texts) / max(len(texts), 1)
        return counted[key.text] + guess(key) / max(len(texts), 1)

    return rarity
