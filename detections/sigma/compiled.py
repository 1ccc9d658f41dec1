"""All rules of a bundle, compiled together: what an action costs hardly depends on how many they are.

An action's bytes are scanned once for the literals of all gates (see `gates`), a few fields are looked up,
and only the rules whose gate is there are evaluated, as those without one always are. Says exactly what
`detections.sigma.naive` says; the oracle is compared with it in tests.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from detections.sigma.closures import Test, compile_condition
from detections.sigma.gates import find_gate, guessed, measured
from detections.sigma.prefilter import Prefilter
from detections.sigma.rule import SigmaRule
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
        gates = [find_gate(rule.condition, rarity) for rule in rules]
        self._names = [rule.name for rule in rules]
        self._tests: list[tuple[str | None, Test]] = [
            (rule.phase, compile_condition(rule.condition)) for rule in rules
        ]
        self._prefilter = Prefilter(rules, gates)
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
        matched: list[int] = []
        untold: list[int] = []
        for place in candidates:
            only, test = self._tests[place]
            if only is None or only == phase:
                told = test(seen)
                if told:
                    matched.append(place)
                elif told is None:
                    untold.append(place)
        if not matched and not untold:
            return NO_MATCH
        return Match(tuple(sorted(matched)), tuple(sorted(untold)), self._errors(seen, sorted(untold)))

    def _errors(self, seen: Seen, untold: list[int]) -> tuple[str, ...]:
        if not untold:
            return ()
        named = ", ".join(self._names[i] for i in untold[:MOST_ERRORS])
        more = f" and {len(untold) - MOST_ERRORS} more" if len(untold) > MOST_ERRORS else ""
        why = f"its texts are too long: {MOST_SEARCHED} characters were searched" if seen.cut else seen.why
        return (f"rules {named}{more} could not be evaluated: {why}",)
