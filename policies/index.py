"""The rules of a bundle, indexed: cost per action stays flat from ten rules to ten thousand.

Each field of `match` maps a value to a class (the set of patterns it satisfies); the tuple of classes maps to
an outcome. Both maps are bounded memos, so an action like earlier ones costs a few dictionary look-ups, and a
new one an intersection of bit sets. Numeric limits run on the candidates that remain.
"""

from typing import Any

from policies.bitset import bits, lowest
from policies.bundle import Content
from policies.conditions import Unjudgeable, hold
from policies.dimension import Dimension
from policies.model import DETECTORS, Rule
from policies.outcome import CompiledRule, Composer, Failure, compile_rule, deciding_order
from schemas.action import Action
from schemas.verdict import Verdict

OUTCOMES = 65_536
VERDICTS = 64

Key = tuple[int, int, int, int, int, int]
Matched = tuple[int, tuple[Failure, ...]]


class Candidates:
    """What patterns leave open: rules that matched for certain, and rules with limits yet to be compared.

    `verdicts` maps what the comparisons said (bit i for `limited[i]`, and the failures) to the verdict.
    """

    __slots__ = ("certain", "limited", "verdicts")

    def __init__(self, certain: int, limited: list[int]) -> None:
        """Take the certain ones as a bit set, the others as places in deciding order."""
        self.certain = certain
        self.limited = limited
        self.verdicts: dict[Matched, Verdict] = {}


class Index:
    """Compiled rules. Not for several threads at once; equal bundles judge equally, whatever came before."""

    def __init__(self, content: Content) -> None:
        """Compile a bundle's policies."""
        ordered = _order(content)
        self._rules = [compiled for compiled, _ in ordered]
        matches = [rule.match for _, rule in ordered]
        self._tenants = Dimension([m.tenants for m in matches])
        self._agents = Dimension([m.agents for m in matches])
        self._actions = Dimension([m.actions for m in matches])
        self._resources = Dimension([m.resources for m in matches])
        self._tools = Dimension([m.tools for m in matches])
        self._regardless = bits(i for i, m in enumerate(matches) if m.detections is None)
        self._detections = [
            bits(i for i, m in enumerate(matches) if m.detections and d in m.detections) for d in DETECTORS
        ]
        self._limited = bits(i for i, rule in enumerate(self._rules) if rule.conditions)
        self._composer = Composer(self._rules)
        self._outcomes: dict[Key, Verdict | Candidates] = {}
        self._verdicts: dict[Matched, Verdict] = {}

    def decide(self, action: Action, active: int = 0) -> Verdict:
        """Judge one action.

        Args:
            action: what happened; `received_at` is not looked at.
            active: the detections that are on for this agent, bit i for `DETECTORS[i]`.

        Returns:
            One object per set of matched rules, as long as a bounded memo holds it: what is made of a verdict
            may be kept by identity, together with the verdict.
        """
        key = (
            self._tenants[action.tenant],
            self._agents[action.agent_id],
            self._actions[action.action],
            self._resources[action.resource],
            self._tools[action.tool],
            active,
        )
        found = self._outcomes.get(key)
        if found is None:
            found = self._resolve(key)
        if found.__class__ is Verdict:
            return found
        return self._compare(found, action)  # type: ignore[arg-type]

    def _resolve(self, key: Key) -> Verdict | Candidates:
        tenant, agent, act, resource, tool, active = key
        candidates = self._regardless
        for i, members in enumerate(self._detections):
            if active >> i & 1:
                candidates |= members
        candidates &= self._tenants.rules_of(tenant) & self._agents.rules_of(agent)
        candidates &= self._actions.rules_of(act) & self._resources.rules_of(resource)
        candidates &= self._tools.rules_of(tool)
        limited = candidates & self._limited
        found: Verdict | Candidates
        if limited:
            found = Candidates(candidates & ~limited, lowest(limited, len(self._rules)))
        else:
            found = self._compose((candidates, ()))
        if len(self._outcomes) >= OUTCOMES:
            self._outcomes.clear()
        self._outcomes[key] = found
        return found

    def _compare(self, candidates: Candidates, action: Action) -> Verdict:
        held = 0
        failures: list[Failure] = []
        values: dict[str, Any] = {}
        for i, place in enumerate(candidates.limited):
            try:
                if hold(self._rules[place].conditions, action, values):
                    held |= 1 << i
            except Unjudgeable as error:
                failures.append(Failure(place, str(error)))
        said = (held, tuple(failures))
        verdict = candidates.verdicts.get(said)
        if verdict is None:
            places = (place for i, place in enumerate(candidates.limited) if held >> i & 1)
            verdict = self._compose((candidates.certain | bits(places), said[1]))
            if len(candidates.verdicts) >= VERDICTS:
                candidates.verdicts.clear()
            candidates.verdicts[said] = verdict
        return verdict

    def _compose(self, key: Matched) -> Verdict:
        verdict = self._verdicts.get(key)
        if verdict is None:
            if len(self._verdicts) >= OUTCOMES:
                self._verdicts.clear()
            verdict = self._verdicts[key] = self._composer.compose(*key)
        return verdict


def _order(content: Content) -> list[tuple[CompiledRule, Rule]]:
    found = [
        (compile_rule(policy.name, policy.mode == "enforce", rule), rule)
        for policy in content.policies
        for rule in policy.rules
    ]
    return sorted(found, key=lambda pair: deciding_order(pair[0], pair[1].priority))
