"""Which of a rule's comparisons tells that the rule need not be looked at: the rarest that must hold.

A gate is a set of keys, one of which is there in every action that the rule matches. A key is a literal in
the action's bytes, or the whole value of a field that is looked up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from detections.sigma.literals import literals
from detections.sigma.rule import And, Atom, Not, Or, SigmaRule, atoms

LOOKED_UP = ("action", "tool", "agent_id", "tenant")
"""Fields whose values are few, or that are looked up anyway: equality is a look-up instead of a literal."""
SHORTEST = 3
"""Bytes of a literal: shorter ones are in most actions."""


class Key(NamedTuple):
    """A literal (no field), or a field and its value; either folded."""

    field: str | None
    text: str


Gate = frozenset[Key]
Rarity = Callable[[Key], float]
"""The share of actions that a key is thought to be in."""


def find_gate(condition: Any, rarity: Rarity) -> Gate | None:
    """The gate of a condition that is thought to let the fewest actions pass; None if it has none."""
    if isinstance(condition, Atom):
        return min(
            (frozenset([key]) for key in keys(condition)), key=lambda g: weigh(g, rarity), default=None
        )
    if isinstance(condition, Not):
        return None
    if isinstance(condition, And):
        gates = [gate for part in condition.every if (gate := find_gate(part, rarity)) is not None]
        return min(gates, key=lambda gate: weigh(gate, rarity), default=None)
    return _any(condition, rarity)


def _any(condition: Or, rarity: Rarity) -> Gate | None:
    """The gate of one of several: all of theirs together."""
    found: set[Key] = set()
    for part in condition.some:
        gate = find_gate(part, rarity)
        if gate is None:
            return None
        found |= gate
    return frozenset(found)


def keys(atom: Atom) -> Iterator[Key]:
    """The keys of one comparison, any of which would do."""
    if atom.op == "is" and atom.field in LOOKED_UP and isinstance(atom.value, str):
        yield Key(atom.field, atom.value.casefold())
        return
    for literal in literals(atom):
        if len(literal) >= SHORTEST:
            yield Key(None, literal)


def weigh(gate: Gate, rarity: Rarity) -> float:
    """The share of actions that a gate is thought to let pass, and what its keys cost."""
    return sum(rarity(key) for key in gate)


def guessed(rules: Sequence[SigmaRule]) -> Rarity:
    """What is thought of keys when no actions have been seen.

    What many rules ask for is common: a kind of action, a tool. A literal is the rarer the longer it is.
    """
    asked = Counter(
        key for rule in rules for key in {k for atom in atoms(rule.condition) for k in keys(atom)}
    )
    most = max(len(rules), 1)

    def rarity(key: Key) -> float:
        shared = (asked[key] - 1) / most
        if key.field is not None or key.text.startswith('"'):  # a kind of action; what an argument is called
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
