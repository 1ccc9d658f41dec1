"""Runs the index and the naive evaluator side by side over the lives of some agents."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping

from detections import activity, sessions
from policies.bundle import Content
from policies.counting import count, modify
from policies.index import Index
from policies.linear import Decision, Past, decide
from policies.sight import Cells
from policies.signals import QUIET, Signals
from schemas.action import Action
from schemas.verdict import Effect, Verdict
from tests.policies.builders import make_index, random_action, random_content, random_signals

NOTHING_BEFORE = Past(
    {
        f"{holder}.{name}": 0
        for holder in ("agent", "session")
        for name in ("actions", "denials", "age_seconds", "idle_seconds")
    }
)


def told(verdict: Verdict) -> Decision:
    """A verdict as the oracle tells it."""
    parts = (verdict.effect, verdict.reasons, verdict.severity, verdict.tags, verdict.errors)
    return Decision(*parts, verdict.modified_arguments, dict(verdict.limits_remaining))


def naive(content: Content, action: Action, signals: Signals = QUIET) -> Decision:
    """What the oracle says of an agent's first action."""
    return decide(content, action, signals, NOTHING_BEFORE)


class Life:
    """One agent as both see it: cells for the index, all that happened for the oracle."""

    def __init__(self) -> None:
        self.cells: dict[str, bytes] = {}
        self.past: list[tuple[Action, bool]] = []
        self.counted: list[tuple[Action, frozenset[str]]] = []

    def facts(self, action: Action) -> Mapping[str, int]:
        """What is known of agent and session, from everything that happened."""
        of = {"agent": self.past, "session": [p for p in self.past if p[0].session_id == action.session_id]}
        found = {}
        for holder, events in of.items():
            times = [a.received_at for a, _ in events] or [action.received_at]
            found[f"{holder}.actions"] = len(events)
            found[f"{holder}.denials"] = sum(denied for _, denied in events)
            found[f"{holder}.age_seconds"] = (action.received_at - times[0]) // 1000
            found[f"{holder}.idle_seconds"] = (action.received_at - times[-1]) // 1000
        return found

    def indexed(self, index: Index, action: Action, signals: Signals) -> Verdict:
        """Decide by the index, and remember in cells."""
        ruling = index.decide(action, signals, self.cells)
        verdict = ruling.verdict
        changes: dict[str, bytes] = {}
        if ruling.modified_arguments is not None:
            verdict = modify(verdict, ruling.modified_arguments)
        if ruling.charges:
            verdict, changes = count(action, verdict, ruling.charges, self.cells)
        denied, at = verdict.effect is Effect.deny, action.received_at
        changes[activity.CELL] = activity.count_action(self.cells.get(activity.CELL), at, denied)
        held: Cells = self.cells
        changes[sessions.CELL] = sessions.count_session(
            held.get(sessions.CELL), action.session_id, at, denied
        )
        self.cells.update(changes)
        return verdict

    def naive(self, content: Content, action: Action, signals: Signals) -> Decision:
        """Decide by the oracle, and remember all of it."""
        found = decide(content, action, signals, Past(self.facts(action), self.counted))
        counts = found.effect in (Effect.allow, Effect.modify) or action.get("phase") in ("result", "outcome")
        if counts:
            self.counted.append((action, frozenset(found.left)))
        self.past.append((action, found.effect is Effect.deny))
        left = dict(found.left)
        if counts and left:
            left = decide(content, action, signals, Past(self.facts(action), self.counted)).left
            # what is left *after* this action, by the same rules that spoke of it before
            left = {name: left.get(name, found.left[name]) for name in found.left}
        return found._replace(left=left)


def compare(seed: int, rules: int, actions: int) -> Counter[str]:
    """Judge random actions by random rules with both; count what was seen."""
    rng = random.Random(seed)
    content = random_content(rng, rules)
    index = make_index(content)
    lives: defaultdict[tuple[str, str], Life] = defaultdict(Life)
    seen: Counter[str] = Counter()
    now = rng.randrange(2**41)
    for number in range(actions):
        now += rng.choice((0, 1, 999, 60_000, 3_600_000))
        action, signals = random_action(rng, now, number), random_signals(rng)
        life = lives[action.tenant, action.agent_id]
        expected = life.naive(content, action, signals)
        said = told(life.indexed(index, action, signals))
        assert said == expected
        seen[said.effect.name] += 1
        seen["errors"] += bool(said.errors)
        seen["limits"] += bool(said.left)
        seen["modified"] += said.modified_arguments is not None
        seen["default"] += said.reasons[0].rule == "default"
        seen["more"] += said.reasons[-1].rule == "more"
    return seen
