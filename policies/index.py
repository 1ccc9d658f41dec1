"""The rules of a bundle, indexed: cost per action stays flat from ten rules to ten thousand.

Each field of `match` maps a value to a class (the set of patterns it satisfies); the tuple of classes maps to
an outcome. Both maps are bounded memos, so an action like earlier ones costs a few dictionary look-ups, and a
new one an intersection of bit sets. Comparisons, conditions and limits run on the candidates that remain.
"""

from collections.abc import Mapping
from typing import Any

from policies.bitset import bits, lowest
from policies.bundle import Content
from policies.candidates import Candidates, Ruling, rule_on
from policies.compiled import Compiled, compile_content, written
from policies.dimension import HOSTS, PATHS, Dimension, ReadingDimension
from policies.limits import NOT_TOLD, Spent
from policies.members import Members
from policies.outcome import Composer
from policies.rest import Rest, no_rest
from policies.rule import Match
from policies.sight import Cells, Reader, Sight
from policies.signals import QUIET, Signals
from schemas.action import Action

OUTCOMES = 65_536
NO_CELLS: Mapping[str, bytes] = {}

Key = tuple[Any, ...]


class Index:
    """Compiled rules. Not for several threads at once; equal bundles judge equally, whatever came before.

    Attributes:
        uses_session: whether some condition looks at `session`: only then must its cell be kept.
        recalls: whether some rule looks at recent detections: only then must they be held.
        asks: the detections that rules look at; None where a condition may ask for any.
    """

    def __init__(self, content: Content, read: Reader, rest: Rest = no_rest) -> None:
        """Compile a bundle's policies; `read` tells what conditions see of an agent's cells.

        `rest` is called after each step for a rule.

        Raises:
            BadCondition: a condition does not compile.
        """
        ordered = compile_content(content, rest)
        rules = [compiled for compiled, _ in ordered]
        matches = [rule.match for _, rule in ordered]
        self._tenants = Dimension([written(m.tenants) for m in matches], rest)
        self._agents = Dimension([written(m.agents) for m in matches], rest)
        self._actions = Dimension([written(m.actions) for m in matches], rest)
        self._resources = Dimension([written(m.resources) for m in matches], rest)
        self._tools = Dimension([written(m.tools) for m in matches], rest)
        self._seldom = _seldom(matches, [rule.effect == "allow" for _, rule in ordered], rest)
        self._detections = Members([m.detections for m in matches], content.names, rest)
        self._recent = Members([m.recent_detections for m in matches], content.names, rest)
        self._demanding = bits(i for i, rule in enumerate(rules) if rule.demand or rule.edits)
        self._compiled = Compiled(rules, Composer(rules, rest), content, read)
        self._outcomes: dict[Key, Ruling | Candidates] = {}
        programs = [rule.demand.program for rule in rules if rule.demand and rule.demand.program]
        recent = any("recent_detections" in p.names for p in programs)
        self.recalls = recent or any(m.recent_detections for m in matches)
        named = frozenset(name for m in matches for name in m.detections or ())
        self.asks = None if any("detections" in p.names for p in programs) else named
        self.uses_session = any(name.startswith("session.") for p in programs for name in p.names)

    def decide(
        self, action: Action, signals: Signals = QUIET, cells: Cells = NO_CELLS, spent: Spent = NOT_TOLD
    ) -> Ruling:
        """Judge one action.

        Args:
            action: what happened.
            signals: what detections say of it.
            cells: the agent's, for limits and for what conditions see of it.
            spent: what several agents spent together, for limits that span them.

        Returns:
            The verdict, and what limits would count. The verdict is one object per set of matched rules, as
            long as a bounded memo holds it, unless arguments were modified: what is made of a verdict may be
            kept by identity, together with the verdict.
        """
        key: Key = (
            self._tenants[action.tenant],
            self._agents[action.agent_id],
            self._actions[action.action],
            self._resources[action.resource],
            self._tools[action.tool],
            signals.on & self._detections.watched,
            signals.recent & self._recent.watched,
        )
        if self._seldom:
            key += tuple([dimension[_value(action, field)] for field, dimension in self._seldom])
        found = self._outcomes.get(key)
        if found is None:
            found = self._resolve(key)
        if found.__class__ is Ruling:
            return found
        sight = Sight(found.world, action, signals, cells, spent)  # type: ignore[union-attr]
        return rule_on(found, self._compiled, sight)  # type: ignore[arg-type]

    def _resolve(self, key: Key) -> Ruling | Candidates:
        tenant, agent, act, resource, tool, on, recent, *seldom = key
        places = self._detections.rules_of(on) & self._recent.rules_of(recent)
        places &= self._tenants.rules_of(tenant) & self._agents.rules_of(agent)
        places &= self._actions.rules_of(act) & self._resources.rules_of(resource)
        places &= self._tools.rules_of(tool)
        for (_, dimension), number in zip(self._seldom, seldom, strict=True):
            places &= dimension.rules_of(number)
        demanding = places & self._demanding
        found: Ruling | Candidates
        if demanding:
            found = Candidates(
                places & ~demanding, lowest(demanding, len(self._compiled.rules)), self._compiled
            )
        else:
            found = Ruling(self._compiled.compose((places, ())).verdict)
        if len(self._outcomes) >= OUTCOMES:
            self._outcomes.clear()
        self._outcomes[key] = found
        return found


def _seldom(matches: list[Match], allows: list[bool], rest: Rest) -> list[tuple[str, Dimension]]:
    """The fields that few bundles look at, with their dimensions: those that some rule of this one does."""
    found: list[tuple[str, Dimension]] = []
    for key, field in (("tool_servers", "tool_server"), ("models", "model"), ("phases", "phase")):
        patterns = [written(getattr(m, key)) for m in matches]
        if any(p is not None for p in patterns):
            found.append((field, Dimension(patterns, rest)))
    labels = sorted({name for m in matches for name in m.labels or ()})
    found += [
        (f"labels.{name}", Dimension([written((m.labels or {}).get(name)) for m in matches], rest))
        for name in labels
    ]
    for key, kind in (("paths", PATHS), ("hosts", HOSTS)):
        patterns = [written(getattr(m, key)) for m in matches]
        if any(p is not None for p in patterns):
            found.append(("resource", ReadingDimension(patterns, allows, kind)))
    return found


def _value(action: Action, field: str) -> str | None:
    if field == "resource":
        return action.resource
    if field.startswith("labels."):
        labels: dict[str, str] = action.get("labels")
        return labels.get(field[7:])
    value: str | None = action.get(field)
    return value
