"""Judges a stream of stored actions by two sets of rules, and compares. A pure function of the stream.

Each agent's state is folded three ways from where the window begins: by the old rules, by the new ones and,
where recorded verdicts are to be verified, by those that each decision was made by. Before the window it is
folded once, by the latter. Actions of one agent come in their order; agents do not touch each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from judgement.comparison import Comparison, example_of, rule_of, said_of
from judgement.decision import verdict_bytes
from judgement.engine import ENGINE
from judgement.judge import Judgement, judge
from judgement.recorded import Made, Recorded
from judgement.rules import Rules
from judgement.standing import NOTHING, Standing
from judgement.tally import Said, Tally

Cells = Mapping[str, bytes]


@dataclass(frozen=True)
class Course:
    """What a stream is judged by.

    Attributes:
        old: the rules that are compared with.
        new: the rules that are tried.
        recorded: the rules of a digest, as decisions name them; None where they are not known.
        standing: the orders that stood at a control offset: they stand over all rules here, too.
        begin: an agent's cells before its first action here.
        since: the `received_at` from which on is compared, in milliseconds.
        verify: whether recorded verdicts are compared with those of the rules that they name.
        grouped: whether all actions of an agent come together: then nobody else is kept in memory.
    """

    old: Rules
    new: Rules
    recorded: Callable[[str], Rules | None]
    standing: Callable[[int], Standing]
    begin: Callable[[Recorded], Cells]
    since: int
    verify: bool = False
    grouped: bool = False


class _State:
    """An agent's cells by each of the three; `old` is None before the window."""

    __slots__ = ("new", "old", "recorded")

    def __init__(self, cells: Cells) -> None:
        self.recorded: Cells = cells
        self.old: Cells | None = None
        self.new: Cells = cells


class _Sides(NamedTuple):
    old: Rules
    new: Rules
    standing: Standing


class Backtest:
    """Judges a stream, an action at a time; `tally` says what came of it once `finish` was called."""

    def __init__(self, course: Course) -> None:
        """Take what to judge by."""
        self.tally = Tally()
        self._course = course
        self._states: dict[bytes, _State] = {}
        self._comparison = Comparison(self.tally)
        self._compare = self._comparison.compare
        self._since, self._verifies = course.since, course.verify
        self._sides: dict[int, _Sides] = {}
        self._under: dict[tuple[str, int], Rules | None] = {}

    def judge(self, stored: Recorded) -> None:
        """Judge the next action."""
        action, made, tally = stored.action, stored.made, self.tally
        if made is not None and made.misrouted:
            tally.passed_over += 1
            return
        state = self._states.get(action.agent)
        if state is None:
            state = self._begin(stored)
        offset = -1 if made is None else made.control_offset
        sides = self._sides.get(offset) or self._meet(offset)
        if action.received_at < self._since:
            tally.warmed += 1
            rules = (self._of(made, sides) if made is not None else None) or sides.old
            state.recorded = _after(state.recorded, judge(action, state.recorded, rules))
            return
        if state.old is None:
            state.old = state.new = state.recorded
            tally.agents += 1
        if stored.erased:
            tally.erased += 1
        before = state.old
        old, new = judge(action, before, sides.old), judge(action, state.new, sides.new)
        state.old, state.new = _after(before, old), _after(state.new, new)
        if self._verifies and made is not None:
            self._verify(stored, made, state, before, old)
        self._compare(stored, old, new)

    def finish(self) -> Tally:
        """What all of it came to."""
        self._comparison.count()
        return self.tally

    def _begin(self, stored: Recorded) -> _State:
        if self._course.grouped:
            self._states.clear()
        state = self._states[stored.action.agent] = _State(self._course.begin(stored))
        return state

    def _meet(self, offset: int) -> _Sides:
        standing = NOTHING if offset < 0 else self._course.standing(offset)
        old, new = (replace(r, standing=standing) for r in (self._course.old, self._course.new))
        sides = self._sides[offset] = _Sides(old, new, standing)
        return sides

    def _of(self, made: Made, sides: _Sides) -> Rules | None:
        """The rules that a decision names, under the orders that stood."""
        if made.bundle == sides.old.digest:
            return sides.old
        key = (made.bundle, made.control_offset)
        if key not in self._under:
            rules = self._course.recorded(made.bundle)
            self._under[key] = rules and replace(rules, standing=sides.standing)
        return self._under[key]

    def _verify(self, stored: Recorded, made: Made, state: _State, before: Cells, old: Judgement) -> None:
        """Compare with the recorded verdict; the agent goes on as it was recorded."""
        sides = self._sides[made.control_offset]
        rules = self._of(made, sides)
        if rules is sides.old and state.recorded is before:  # the old rules just did it
            came = old
            state.recorded = state.old or before
        else:
            came = judge(stored.action, state.recorded, rules or sides.old)
            state.recorded = _after(state.recorded, came)
        if rules is None:
            self.tally.verified["unknown bundle"] += 1
        elif made.engine != ENGINE:
            self.tally.verified["other engine"] += 1
        elif stored.erased:
            self.tally.verified["erased"] += 1
        elif verdict_bytes(came.verdict) == made.verdict:
            self.tally.verified["equal"] += 1
        else:
            self.tally.verified["different"] += 1
            recorded = Said(made.effect.name, *made.deciding, "")
            key = ("/".join(made.deciding), rule_of(came.verdict))
            self.tally.differing.add(key, lambda: example_of(stored, recorded, said_of(came.verdict)))


def _after(cells: Cells, judgement: Judgement) -> Cells:
    changes = judgement.changes
    if not changes:
        return cells
    after = {**cells, **changes}
    return {n: v for n, v in after.items() if v} if b"" in changes.values() else after
