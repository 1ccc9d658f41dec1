"""What patterns leave open, and how it is decided for one action."""

from typing import NamedTuple

from policies.arguments import parse_arguments
from policies.bitset import bits
from policies.compiled import Compiled, Matched
from policies.edits import apply_edits
from policies.errors import Unjudgeable
from policies.limits import Charge
from policies.outcome import Failure, Outcome
from policies.sight import Sight
from schemas.action import Action
from schemas.verdict import Verdict

RULINGS = 64
LARGEST_ARGUMENTS = 512 << 10
"""Bytes of modified arguments: a decision must fit into a message with the action's own beside them."""


class Ruling(NamedTuple):
    """What the rules say of one action.

    Attributes:
        verdict: the decision; `limits_remaining` is filled in by whoever counts.
        charges: what its limits would count of it.
        modified_arguments: JSON text; None where nothing is modified.
    """

    verdict: Verdict
    charges: tuple[Charge, ...] = ()
    modified_arguments: str | None = None


class Candidates:
    """Rules that match for certain, and rules that demand more than patterns can say, in deciding order.

    `rulings` maps what was found of the latter to the ruling, where nothing is counted or modified.
    """

    __slots__ = ("certain", "demanding", "rulings", "world")

    def __init__(self, certain: int, demanding: list[int], compiled: Compiled) -> None:
        """Take the certain ones as a bit set, the others as places."""
        self.certain = certain
        self.demanding = [(place, compiled.rules[place].demand) for place in demanding]
        self.rulings: dict[Matched, Ruling] = {}
        programs = [demand.program for _, demand in self.demanding if demand and demand.program]
        self.world = compiled.world(programs)


def rule_on(candidates: Candidates, compiled: Compiled, sight: Sight) -> Ruling:
    """Decide which of the candidates hold for an action, and what they come to."""
    held = 0
    failures: list[Failure] = []
    charges: list[Charge] = []
    for i, (place, demand) in enumerate(candidates.demanding):
        if demand is None:
            held |= 1 << i
            continue
        try:
            holds, counted = sight.hold(demand)
        except Unjudgeable as error:
            failures.append(Failure(place, str(error)))
            continue
        held |= holds << i
        if counted is not None:
            charges.append(counted)
    said = (held, tuple(failures))
    ruling = candidates.rulings.get(said)
    if ruling is not None:
        return ruling._replace(charges=tuple(charges)) if charges else ruling
    places = bits(place for i, (place, _) in enumerate(candidates.demanding) if held >> i & 1)
    matched = (candidates.certain | places, said[1])
    outcome = compiled.compose(matched)
    if outcome.editing:
        return _edit(compiled, matched, outcome, sight.action)._replace(charges=tuple(charges))
    ruling = Ruling(outcome.verdict)
    if len(candidates.rulings) >= RULINGS:
        candidates.rulings.clear()
    candidates.rulings[said] = ruling
    return ruling._replace(charges=tuple(charges)) if charges else ruling


def _edit(compiled: Compiled, matched: Matched, outcome: Outcome, action: Action) -> Ruling:
    """Make the edits, rule after rule; a rule whose edits cannot be made has failed."""
    arguments: str | None = action.arguments
    failures: list[Failure] = []
    for place in outcome.editing:
        try:
            arguments = apply_edits(compiled.rules[place].edits, parse_arguments(arguments))
            if len(arguments) > LARGEST_ARGUMENTS and len(arguments.encode()) > LARGEST_ARGUMENTS:
                raise Unjudgeable(f"the modified arguments are larger than {LARGEST_ARGUMENTS} bytes")
        except Unjudgeable as error:
            failures.append(Failure(place, str(error)))
    if not failures:
        return Ruling(outcome.verdict, (), arguments)
    places, before = matched
    fallen = sum(1 << f.rule for f in failures)
    failed = tuple(sorted((*before, *failures)))
    outcome = compiled.compose((places & ~fallen, failed))
    # what is still allowed is so only with the edits that could be made
    return Ruling(outcome.verdict, (), arguments if outcome.editing else None)
