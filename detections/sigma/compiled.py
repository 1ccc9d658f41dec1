"""All rules of a bundle, compiled together: what an action costs hardly depends on how many they are.

An action's bytes are scanned once for the literals of all gates (see `gates`), a few fields are looked up,
and only the rules whose gate is there are evaluated, as those without one always are. Says exactly what
`detections.sigma.naive` says; the oracle is compared with it in tests.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from detections.sigma.closures import compile_condition
from detections.sigma.gates import find_gates, guessed, measured
from detections.sigma.prefilter import Prefilter
from detections.sigma.required import split_expression
from detections.sigma.rule import Atom, Or, SigmaRule
from detections.sigma.seen import MOST_SEARCHED, Seen
from schemas.action import PHASES, Action

MOST_ERRORS = 3
"""Rules that an error names; of more it says how many."""


class Match(NamedTuple):
    """What the rules say of one action.

    Attributes:
        rules: the places of the rules that match, ascending.
        untold: the places of those of which it cannot be told whether they match.
        errors: why, in words; empty where `untold` is.
    """

    rules: tuple[int, ...] = ()
    untold: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()


NO_MATCH = Match()
"""No rule matches: this very object, as its identity is asked for first."""


class CompiledRules:
    """The rules of a bundle, in its order. Matching is pure; one object serves several threads.

    Attributes:
        phases: those of the actions that some rule looks at: of others nothing is ever said.
    """

    def __init__(self, rules: Sequence[SigmaRule], seen: Iterable[bytes] = ()) -> None:
        """Compile rules.

        Args:
            rules: each with a name of its own.
            seen: bodies of some recent actions: with them the rarest literals are chosen by count, without
                by guess. They change how long matching takes, never what it says.
        """
        sample = tuple(seen)
        rarity = measured(rules, sample) if sample else guessed(rules)
        self._names = [rule.name for rule in rules]
        conditions = [
            (i, condition) for i, rule in enumerate(rules) for condition in _branches(rule.condition)
        ]
        self._branches = [(i, rules[i].phase, compile_condition(condition)) for i, condition in conditions]
        self._prefilter = Prefilter(
            [condition for _, condition in conditions],
            [find_gates(condition, rarity) for _, condition in conditions],
        )
        self.phases = frozenset(p for p in PHASES if any(rule.phase in (None, p) for rule in rules))

    def match(self, action: Action) -> Match:
        """What the rules say of an action."""
        phase = action.phase
        if phase not in self.phases:
            return NO_MATCH
        candidates = self._prefilter.find(action)
        return self._evaluate(action, phase, candidates) if candidates else NO_MATCH

    def _evaluate(self, action: Action, phase: str, candidates: Iterable[int]) -> Match:
        seen = Seen(action)
        matched: set[int] = set()
        untold: set[int] = set()
        for candidate in candidates:
            place, only, test = self._branches[candidate]
            if (only is None or only == phase) and place not in matched:
                told = test(seen)
                if told:
                    matched.add(place)
                elif told is None:
                    untold.add(place)
        if not matched and not untold:
            return NO_MATCH
        left = sorted(untold - matched)
        return Match(tuple(sorted(matched)), tuple(left), self._errors(seen, left))

    def _errors(self, seen: Seen, untold: list[int]) -> tuple[str, ...]:
        if not untold:
            return ()
        named = ", ".join(self._names[i] for i in untold[:MOST_ERRORS])
        more = f" and {len(untold) - MOST_ERRORS} more" if len(untold) > MOST_ERRORS else ""
        why = f"its texts are too long: {MOST_SEARCHED} characters were searched" if seen.cut else seen.why
        return (f"rules {named}{more} could not be evaluated: {why}",)


def _branches(condition: Any) -> list[Any]:
    """The alternatives of a condition, each with gates of its own: one of them holds if the whole does."""
    if isinstance(condition, Or):
        return [branch for part in condition.some for branch in _branches(part)]
    if isinstance(condition, Atom) and condition.op == "re":
        texts = split_expression(str(condition.value))
        return [condition.model_copy(update={"value": text}) for text in texts]
    return [condition]
