"""The groups that are open: signals in, notifications out. No clock and no IO: time comes as an argument."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from consumers.alert.group import Group
from consumers.alert.quiet import Quiet
from consumers.alert.rules import Placement, Rules
from consumers.alert.signal import Signal
from consumers.alert.timing import Step, decide, due_at, over

MOST_GROUPS = 10_000
AGAIN_MS = 5_000
"""How soon what is held is looked at again."""


class Telling(NamedTuple):
    """A group that is to be told now, as it stands; `fresh` of its events its receivers do not know yet."""

    group: Group
    step: Step
    fresh: int


class Book:
    """All open groups. Not promised: that it can be used after an error; what was written down can.

    Attributes:
        counts: what came of signals and groups: placed, unrouted, muted, held.
    """

    def __init__(self, rules: Rules, groups: Iterable[Group] = (), most: int = MOST_GROUPS) -> None:
        """Take the routes, and the groups as they were written down."""
        self._rules = rules
        self._most = most
        self._groups: dict[str, Group] = {}
        self._by_id: dict[str, set[str]] = {}
        self._changed: set[str] = set()
        self.counts: Counter[str] = Counter()
        for group in groups:
            self._put(group)

    def __len__(self) -> int:
        """How many groups are open."""
        return len(self._groups)

    def take(self, signal: Signal, now: int, quiet: Quiet) -> None:
        """Put a signal into its groups. A threat under a silence is counted, and goes into none.

        What is known of an incident goes to the groups that it has, whatever the routes say by now.
        """
        known = [self._groups[key] for key in self._by_id.get(signal.subject, ()) if signal.subject]
        for group in known:
            self._learn(group, signal, now)
        if signal.status != "open":
            return
        placed = self._rules.place(signal, now)
        if not any(p.receivers for p in placed):
            self.counts["unrouted"] += 0 if known else 1
            return
        if signal.kind == "threat" and quiet.why(signal.labels(), now):
            self.counts["muted"] += 1
            return
        have = {group.route for group in known}
        for placement in placed:
            if placement.receivers and placement.route.name not in have:
                self._learn(self._group(placement, signal, now), signal, now)
        self.counts["placed"] += 1

    def _learn(self, group: Group, signal: Signal, now: int) -> None:
        group.learn(signal, now)
        if not group.held:
            group.due = due_at(group, self._rules.routes[group.route])
        self._changed.add(group.key)

    def _group(self, placement: Placement, signal: Signal, now: int) -> Group:
        route = placement.route
        kind = "digest" if route.digest is not None else signal.kind
        shared = self._shared(placement, signal)
        key = json.dumps([route.name, placement.receivers, kind, *shared], ensure_ascii=False)
        if key not in self._groups and len(self._groups) >= self._most and kind == "threat":
            key = json.dumps([route.name, placement.receivers, kind, "others"])
        if key in self._groups:
            return self._groups[key]
        made = hashlib.sha256(f"{key}/{signal.at}".encode()).hexdigest()[:16]
        name = signal.subject if kind == "incident" else made
        group = Group(key, name, route.name, placement.receivers, kind, now, now, signal.first_at, signal.at)
        self._put(group)
        return group

    def _shared(self, placement: Placement, signal: Signal) -> Sequence[str]:
        if placement.route.digest is not None:
            return ()
        if signal.kind == "incident":
            return (signal.subject,)
        values = {
            "tenant": signal.tenants,
            "agent": signal.agents,
            "session": signal.sessions,
            "detector": tuple(c.cause for c in signal.causes),
            "severity": (signal.severity,),
        }
        return [f"{name}={'/'.join(values[name])}" for name in placement.route.group_by]

    def _put(self, group: Group) -> None:
        if group.route not in self._rules.routes:
            self._changed.add(group.key)  # its route is gone: so is it
            return
        self._groups[group.key] = group
        self._by_id.setdefault(group.id, set()).add(group.key)

    def due(self, now: int, quiet: Quiet) -> list[Telling]:
        """What is to be told now, each at most once; it counts as told."""
        for name, by in quiet.seen.items():
            self._see(name, by)
        waiting = [group for group in self._groups.values() if group.due <= now]
        sources = self._sources(now) if waiting else []
        told = (self._look(group, now, quiet, sources) for group in waiting)
        return [telling for telling in told if telling is not None]

    def _sources(self, now: int) -> list[list[Group]]:
        """For each inhibition the groups that inhibit others; one that it would inhibit does not."""
        open_now = [g for g in self._groups.values() if g.status != "resolved"]
        return [
            [g for g in open_now if each.source.fits(g, now) and not each.target.fits(g, now)]
            for each in self._rules.inhibitors
        ]

    def _see(self, name: str, by: str) -> None:
        for key in self._by_id.get(name, ()):
            group = self._groups[key]
            if group.status == "open":
                group.status, group.by, group.due = "acknowledged", by, 0
                self._changed.add(key)

    def _look(self, group: Group, now: int, quiet: Quiet, sources: list[list[Group]]) -> Telling | None:
        route = self._rules.routes[group.route]
        step = decide(group, route, now)
        if step is not None and step.action in ("trigger", "update"):
            held = self._held(group, now, quiet, sources)
            if held and group.number == 0 and (group.status == "resolved" or over(group, route, now)):
                self._end(group)  # it was held for as long as it lasted
                return None
            if held != group.held:
                self.counts["held"] += bool(held)
                group.held = held
                self._changed.add(group.key)
            if held:
                group.due = now + AGAIN_MS
                return None
        if step is None:
            group.due = due_at(group, route)
            return None
        return self._tell(group, step, now)

    def _held(self, group: Group, now: int, quiet: Quiet, sources: list[list[Group]]) -> str:
        """Why a group is not told now; threats under a silence are in no group at all."""
        if group.kind == "incident" and (name := quiet.why(group.labels(), now)):
            return f"silence {name}"
        source = self._inhibited_by(group, now, sources)
        return f"inhibited by {source}" if source else ""

    def _inhibited_by(self, group: Group, now: int, sources: list[list[Group]]) -> str:
        mine = group.labels()
        for inhibitor, open_now in zip(self._rules.inhibitors, sources, strict=True):
            if not open_now or not inhibitor.target.fits(group, now):
                continue
            for other in open_now:
                theirs = other.labels()
                if all(set(mine[name]) & set(theirs[name]) for name in inhibitor.same):
                    return other.id
        return ""

    def _tell(self, group: Group, step: Step, now: int) -> Telling | None:
        route = self._rules.routes[group.route]
        telling = Telling(group, step, group.count - group.told_count)
        group.number, group.told_count = group.number + 1, group.count
        if step.action in ("resolve", "digest"):
            self._end(group)
            return telling if route.resolve or step.action == "digest" else None
        group.told_at, group.told_status, group.told_severity = now, group.status, group.severity
        group.held, group.news = "", False
        group.due = due_at(group, route)
        self._changed.add(group.key)
        return telling

    def _end(self, group: Group) -> None:
        del self._groups[group.key]
        self._by_id[group.id].discard(group.key)
        if not self._by_id[group.id]:
            del self._by_id[group.id]
        self._changed.add(group.key)

    def changes(self) -> Mapping[str, Group | None]:
        """The groups that have changed since it was asked before; None of one that is gone."""
        found = {key: self._groups.get(key) for key in sorted(self._changed)}
        self._changed.clear()
        return found

    def next_due(self) -> int | None:
        """When `due` may have something to say, if nothing comes; None where no group is open."""
        return min((group.due for group in self._groups.values()), default=None)
