"""Rules that never decide, because another always matches too and wins."""

from collections.abc import Iterator

from policies.bitset import lowest
from policies.compiled import written
from policies.dimension import Dimension
from policies.linting.cover import sample
from policies.linting.covering import matches_all_of
from policies.linting.finding import Finding
from policies.linting.ground import Ground, InForce
from schemas.verdict import RANK, Effect, Severity

_KEYS = ("tenants", "agents", "actions", "tools")
NOBODY = "\x02 no rule names this"


def find_shadowed(ground: Ground) -> Iterator[Finding]:
    """PL103. An inherited rule is told of where it is written, once."""
    rules = [r for r in ground.in_force if r.enforced]
    index = _Witnesses(rules)
    for place, rule in enumerate(rules):
        by = next(
            (rules[i] for i in index.candidates(place) if i != place and _shadows(rules, i, place)), None
        )
        if by is not None:
            yield rule.written.find("PL103", _told(rule, by), "id")


def _told(rule: InForce, by: InForce) -> str:
    effect = by.rule.effect
    if RANK[Effect[effect]] > RANK[Effect[rule.rule.effect]]:
        return f"{rule.name} never decides: whatever it matches, {by.name} matches too, and {effect} wins"
    return f"{rule.name} never decides: whatever it matches, {by.name} matches too, and is named before it"


def _shadows(rules: list[InForce], wide: int, narrow: int) -> bool:
    a, b = rules[wide].rule, rules[narrow].rule
    if b.effect == "modify" and a.effect != "deny":
        return False  # its edits are made all the same
    ranks = RANK[Effect[a.effect]], RANK[Effect[b.effect]]
    if ranks[0] < ranks[1]:
        return False
    if ranks[0] == ranks[1] and not _says_no_more(rules, wide, narrow):
        return False
    return matches_all_of(a, b)


def _says_no_more(rules: list[InForce], wide: int, narrow: int) -> bool:
    """Whether of two rules of one effect the narrow one comes second, and adds neither severity nor tags."""
    a, b = rules[wide].rule, rules[narrow].rule
    first = a.priority > b.priority or (a.priority == b.priority and wide < narrow)
    plain = "informational" if b.effect == "allow" else "medium"
    graver = Severity[b.severity or plain] > Severity[a.severity or plain]
    return first and not graver and set(b.tags) <= set(a.tags)


class _Witnesses:
    """For each rule the few that could match all that it does: those that match one sample of it."""

    def __init__(self, rules: list[InForce]) -> None:
        self._dimensions = {
            key: Dimension([written(getattr(r.rule.match, key)) for r in rules]) for key in _KEYS
        }
        self._rules = rules

    def candidates(self, place: int) -> list[int]:
        """Their places, ascending."""
        match, found = self._rules[place].rule.match, -1
        for key, dimension in self._dimensions.items():
            entries = getattr(match, key)
            found &= dimension.rules_of(dimension[sample(str(entries[0])) if entries else NOBODY])
        return lowest(found, len(self._rules))
