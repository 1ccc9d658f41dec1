"""What a backtest counts: bounded, mergeable, the same however the actions were split over workers. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Key = tuple[str, ...]
MOST_GROUPS = 10_000
"""Of one kind: what belongs to others is counted together, under `OTHERS`."""
MOST_EXAMPLES = 3
OTHERS = "(others)"


class Said(NamedTuple):
    """A verdict in short: the effect, the deciding reason, the arguments where they were modified."""

    effect: str
    policy: str
    rule: str
    message: str
    modified_arguments: str | None = None


class Example(NamedTuple):
    """One action that a group counts: what happened, and what was said of it before and now.

    `received_at` is in milliseconds, `seq` the decision's number (the place in its file, where `partition` is
    -1), `note` what is special about it.
    """

    event_id: str
    tenant: str
    agent_id: str
    session_id: str | None
    received_at: int
    action: str
    tool: str | None
    resource: str
    partition: int
    seq: int
    old: Said
    new: Said
    note: str = ""


@dataclass(slots=True)
class Group:
    """How many, and the first few of them."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)


class Groups:
    """Groups by key; the first `MOST_GROUPS` keys have one of their own."""

    def __init__(self) -> None:
        """Begin empty."""
        self.by_key: dict[Key, Group] = {}

    def add(self, key: Key, example: Callable[[], Example] | None = None) -> None:
        """Count one; `example` is asked for as long as there are too few."""
        group = self._group(key)
        group.count += 1
        if example is not None and len(group.examples) < MOST_EXAMPLES:
            group.examples.append(example())

    def merge(self, other: "Groups") -> None:
        """Add what was counted later."""
        for key, later in other.by_key.items():
            group = self._group(key)
            group.count += later.count
            group.examples += later.examples[: MOST_EXAMPLES - len(group.examples)]

    def ranked(self) -> list[tuple[Key, Group]]:
        """The largest first; equal ones by key."""
        return sorted(self.by_key.items(), key=lambda item: (-item[1].count, item[0]))

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(group.count for group in self.by_key.values())

    def _group(self, key: Key) -> Group:
        group = self.by_key.get(key)
        if group is None:
            if len(self.by_key) >= MOST_GROUPS:
                key = (key[0], *[OTHERS] * (len(key) - 1))
            group = self.by_key.setdefault(key, Group())
        return group


@dataclass
class Tally:
    """What some actions came to.

    Attributes:
        actions: those that were compared.
        agents: how many agents did them.
        warmed: actions before the window, judged only for what is remembered of their agents.
        passed_over: actions that the log holds but nobody judged (misrouted).
        erased: compared actions of which a free text is gone.
        unremembered: agents that began without a snapshot.
        transitions: (old effect, new effect), all actions.
        by_rule: changes by (kind, old rule, new rule).
        by_agent: changes by (kind, tenant, agent).
        by_tool: changes by (kind, tool or action).
        reworded: same effect, other reasons: by (old rule, new rule).
        errors: actions with errors that the old rules did not have, by (rule or detector).
        mended: actions with errors that the new rules do not have.
        found: threats that only the new rules' detections found, by (detector); `lost` the other way.
        fired: how often each of the new rules was among the reasons.
        verified: equal, or why not.
        differing: where verifying found another verdict, by (recorded rule, derived rule).
    """

    actions: int = 0
    agents: int = 0
    warmed: int = 0
    passed_over: int = 0
    erased: int = 0
    unremembered: int = 0
    mended: int = 0
    transitions: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_rule: Groups = field(default_factory=Groups)
    by_agent: Groups = field(default_factory=Groups)
    by_tool: Groups = field(default_factory=Groups)
    reworded: Groups = field(default_factory=Groups)
    errors: Groups = field(default_factory=Groups)
    found: Groups = field(default_factory=Groups)
    lost: Groups = field(default_factory=Groups)
    differing: Groups = field(default_factory=Groups)
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)
    verified: Counter[str] = field(default_factory=Counter)

    def merge(self, other: "Tally") -> None:
        """Add what was counted later."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in GROUPS:
            getattr(self, name).merge(getattr(other, name))

    def kinds(self) -> Mapping[str, int]:
        """How many actions changed in which way."""
        found: Counter[str] = Counter()
        for (kind, *_), group in self.by_rule.by_key.items():
            found[kind] += group.count
        return found

    def never_fired(self, rules: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of some rules that were never among the reasons, of which a verdict names 16."""
        return [rule for rule in rules if not self.fired[rule]]


NUMBERS = ("actions", "agents", "warmed", "passed_over", "erased", "unremembered", "mended")
COUNTERS = ("transitions", "fired", "verified")
GROUPS = ("by_rule", "by_agent", "by_tool", "reworded", "errors", "found", "lost", "differing")
