"""The Sigma rules and correlations of a bundle as one detector."""

from collections.abc import Sequence

from detections.detector import NOTHING, Cells, Observation
from detections.sigma.compiled import NO_MATCH, CompiledRules, Match
from detections.sigma.correlation.compiled import Correlations
from detections.sigma.correlation.model import Correlation, building_blocks, followers_of
from detections.sigma.rule import SigmaRule
from detections.sigma.spans import find_spans
from detections.sigma.tags import finding_tags
from schemas.action import Action
from schemas.keys import agent_key
from schemas.verdict import Finding, Severity


class Sigma:
    """Rules and correlations, compiled.

    A rule that only correlations want is on where it matches, and raises no finding. Where it cannot be told
    whether a rule matches, that is an error of the observation, never "no match". A rule that is only ever
    wanted after another one (a follower), and that nobody asks for, is not looked at until what it is to
    follow is remembered.
    """

    name = "sigma"

    def __init__(
        self,
        rules: Sequence[SigmaRule],
        correlations: Sequence[Correlation],
        skew_ms: int,
        asked: frozenset[str] | None = None,
    ) -> None:
        """Compile.

        Args:
            rules: each with a name of its own.
            correlations: of these rules and of each other.
            skew_ms: how far `occurred_at` is believed.
            asked: the rules that policies ask for by name; None: they may ask for any.

        Raises:
            ValueError, KeyError: a correlation refers to what there is not, or to itself.
        """
        followers = followers_of(correlations) - asked if asked is not None else frozenset()
        first = [rule for rule in rules if rule.name not in followers]
        last = [rule for rule in rules if rule.name in followers]
        self._rules = [*first, *last]
        self._compiled, self._following = CompiledRules(first), CompiledRules(last)
        self._first = len(first)
        numbers = {rule.name: i for i, rule in enumerate(self._rules)}
        self._correlations = Correlations(correlations, numbers, skew_ms)
        self._awaiting = self._correlations.awaiting if last else frozenset()
        self.woken_by = tuple(sorted(self._awaiting))
        self._blocks = building_blocks(correlations)
        self.ids = tuple([rule.name for rule in rules] + [c.name for c in correlations])
        self.cells = self._correlations.cells
        self.phases = self._compiled.phases | self._following.phases

    def concerns(self, action: Action) -> bool:
        """Whether a rule may say something of it; see `detections.detector.Choosy`.

        Where a rule can only be told by what is no part of the deed, such as a session, always.
        """
        return self._compiled.concerns(action)

    def observe(self, action: Action, cells: Cells) -> Observation:
        """What the rules say of an action, and the correlations of it and what was before.

        Raises:
            ValueError: a cell is none of a correlation's.
        """
        match = self._compiled.match(action)
        if self._awaiting and not self._awaiting.isdisjoint(cells):
            match = self._follow(action, match)
        if match is NO_MATCH:
            return NOTHING
        if match.rules:
            said = self._correlations.observe(action, match.rules, cells)
        else:
            said = NOTHING
        matched = [self._rules[i] for i in match.rules]
        blocks = tuple(rule.name for rule in matched if rule.name in self._blocks)
        found = tuple(rule_finding(rule, action) for rule in matched if rule.name not in self._blocks)
        return Observation(
            said.changes, found + said.findings, blocks + said.on, 0.0, match.errors + said.errors
        )

    def _follow(self, action: Action, match: Match) -> Match:
        """What the followers say, too: something that they are to follow is remembered."""
        later = self._following.match(action)
        if later is NO_MATCH:
            return match
        rules, untold = (tuple(self._first + i for i in places) for places in (later.rules, later.untold))
        return Match(match.rules + rules, match.untold + untold, match.errors + later.errors)


def rule_finding(rule: SigmaRule, action: Action) -> Finding:
    """The finding of a rule that matches an action; its message is the rule's own description."""
    agent = agent_key(action.tenant, action.agent_id).decode()
    return Finding(
        detector=rule.name,
        title=rule.title,
        severity=Severity[rule.level],
        score=1.0,
        evidence=(action.event_id,),
        first_at=action.received_at,
        last_at=action.received_at,
        tags=finding_tags(rule.tags),
        dedup_key=f"{rule.name}/{agent}",
        message=rule.description or rule.title,
        spans=find_spans(rule, action),
        runbook=rule.runbook,
    )
