"""All rules of a bundle, compiled together: what an action costs hardly depends on how many they are.

An action's bytes are scanned once for the literals of all gates (see `gates`), a few fields are looked up,
and only the rules whose gate is there are evaluated, as those without one always are. Says exactly what
`detections.sigma.naive` says; the oracle is compared with it in tests.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from detections.sigma.branches import Branch, split_condition
from detections.sigma.closures import Test, compile_branch
from detections.sigma.gates import Gate, find_gates, is_of_deed, measured
from detections.sigma.prefilter import Prefilter
from detections.sigma.rule import SigmaRule, atoms
from detections.sigma.seen import MOST_SEARCHED, Seen
from detections.sigma.typical import TYPICAL
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

    def __init__(
        self, rules: Sequence[SigmaRule], seen: Iterable[bytes] = (), rest: Callable[[], None] = lambda: None
    ) -> None:
        """Compile rules.

        Args:
            rules: each with a name of its own.
            seen: bodies of some recent actions, by which rare literals are told from common ones; a few
                typical texts if there are none. They change how long matching takes, never what it says.
            rest: called now and then, so that whoever shares the interpreter has a turn.
        """
        rarity = measured(rules, tuple(seen) or TYPICAL)
        self._names = [rule.name for rule in rules]
        branches = [(i, branch) for i, rule in enumerate(rules) for branch in split_condition(rule.condition)]
        gates: list[tuple[Gate, ...]] = []
        self._branches: list[tuple[int, str | None, Test]] = []
        tests: dict[int, Test] = {}
        for i, branch in branches:
            gates.append(find_gates(branch, rarity))
            self._branches.append((i, rules[i].phase, compile_branch(branch, tests)))
            rest()
        phases = [rules[i].phase for i, _ in branches]
        self._prefilter = Prefilter([branch for _, branch in branches], gates, phases)
        self._asks_more = frozenset(i for i, (_, branch) in enumerate(branches) if _asks_more(branch))
        self.phases = frozenset(p for p in PHASES if any(rule.phase in (None, p) for rule in rules))

    def concerns(self, action: Action) -> bool:
        """Whether anything may be said of an action that does the same: a function of its deed."""
        phase = action.phase
        if phase not in self.phases:
            return False
        if not self._prefilter.by_deed:
            return True
        candidates = self._prefilter.find(action, phase)
        if not self._asks_more.isdisjoint(candidates):
            return True
        return bool(candidates) and self._evaluate(action, phase, candidates) is not NO_MATCH

    def match(self, action: Action) -> Match:
        """What the rules say of an action."""
        phase = action.phase
        if phase not in self.phases:
            return NO_MATCH
        candidates = self._prefilter.find(action, phase)
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


def _asks_more(branch: Branch) -> bool:
    """Whether it asks of more than the deed."""
    every = (atom for part in branch for atom in atoms(part))
    names = [name for atom in every for name in (atom.field, atom.op == "ref" and atom.value)]
    return not all(is_of_deed(name) for name in names if isinstance(name, str))
