"""The rules of a bundle, each ready to judge, in deciding order."""

from collections.abc import Sequence

from policies.bundle import Content
from policies.cel import BadCondition, Program
from policies.conditions import compile_demand
from policies.outcome import CompiledRule, Composer, Failure, Outcome, compile_rule, deciding_order
from policies.rest import Rest, no_rest, resting
from policies.rule import Rule
from policies.sight import Reader, World, make_world

OUTCOMES = 65_536
Matched = tuple[int, tuple[Failure, ...]]


class Compiled:
    """The rules, and a bounded memo of what sets of them come to.

    Attributes:
        rules: in deciding order.
        lists: the named lists that conditions use.
        read: tells what conditions see of an agent's cells.
        detections: the names that rules may match, in the order of their bits.
    """

    def __init__(
        self,
        rules: list[CompiledRule],
        composer: Composer,
        content: Content,
        read: Reader,
    ) -> None:
        """Take compiled rules and who composes them."""
        self.rules = rules
        self.lists = content.lists
        self.detections = content.names
        self.read = read
        self._composer = composer
        self._outcomes: dict[Matched, Outcome] = {}
        self._worlds: dict[tuple[object, ...], World] = {}

    def world(self, programs: list[Program]) -> World:
        """What some conditions look at: one object for like ones, so that the processor's caches hold it."""
        made = make_world(programs, self.lists, self.read, self.detections)
        if len(self._worlds) >= OUTCOMES:
            self._worlds.clear()
        return self._worlds.setdefault((made.names, made.arguments), made)

    def compose(self, matched: Matched) -> Outcome:
        """The outcome of the rules that matched and those that failed; one object while the memo holds it."""
        outcome = self._outcomes.get(matched)
        if outcome is None:
            if len(self._outcomes) >= OUTCOMES:
                self._outcomes.clear()
            outcome = self._outcomes[matched] = self._composer.compose(*matched)
        return outcome


def compile_content(content: Content, rest: Rest = no_rest) -> list[tuple[CompiledRule, Rule]]:
    """Every rule of a bundle, ready to judge, in deciding order; `rest` is called after each.

    Raises:
        BadCondition: a condition does not compile.
    """
    found = []
    programs: dict[str, Program] = {}
    for policy in content.policies:
        enforced = policy.mode == "enforce"
        for rule in resting(policy.rules, rest):
            demand = compile_demand(policy.name, rule, content.lists, programs)
            found.append((compile_rule(policy.name, enforced, rule, demand), rule))
    return sorted(found, key=lambda pair: deciding_order(pair[0], pair[1].priority))


def written(entries: Sequence[object] | None) -> list[str] | None:
    """The patterns of one field of a rule, as a bundle must have them.

    Raises:
        BadCondition: a list is named, where a bundle has all lists written out.
    """
    if entries is None:
        return None
    texts = [entry for entry in entries if isinstance(entry, str)]
    if len(texts) != len(entries):
        raise BadCondition("a bundle has its lists written out; build it with `praetor policy build`")
    return texts
