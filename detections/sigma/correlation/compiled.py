"""The correlations of a bundle, ready to follow one agent's actions.

A correlation *holds* at an event of its rules when its condition holds in a window with that event. It
*fires* where it begins to: at the group's previous event that a window could share with this one it did not
hold. Rules see it as on wherever it holds; a finding is raised, and a correlation over it told, where it
fires. So a burst is one finding and one event however long it lasts.

A million groups stay within the bound of `window`. Where something was lost there that the window of an
event reaches back to, what holds is told as ever, and an error says that it may be wrong.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from detections.detector import NOTHING, Cells, Observation
from detections.sigma.correlation.asking import Holds, condition_of, windows
from detections.sigma.correlation.entries import PLAIN, WITH_VALUE, Entry
from detections.sigma.correlation.event import Reading, entries_of, readings_of, time_of
from detections.sigma.correlation.finding import finding_of
from detections.sigma.correlation.model import VALUED, Correlation, followers_of, is_led
from detections.sigma.correlation.order import ordered
from detections.sigma.correlation.pruning import pruning_of
from detections.sigma.correlation.window import MOST_PAGES, Prune, Window
from schemas.action import Action
from schemas.verdict import Finding

PREFIX = "correlation:"
_TOLD = frozenset(
    {"name", "uuid", "title", "level", "status", "description", "tags", "falsepositives", "runbook"}
    | {"generate"}
)


class Compiled(NamedTuple):
    """One correlation, ready: what of it is asked for again and again.

    `led`: its events come in their order, and a window without one of the first rule never holds: what comes
    before one is not kept.
    """

    of: Correlation
    names: tuple[str, ...]
    form: int
    holds: Holds
    span_ms: int
    prune: Prune
    readings: tuple[Reading, ...]
    reach_ms: int
    led: bool


class Told(NamedTuple):
    """What one correlation says of one action."""

    holds: bool
    findings: tuple[Finding, ...]
    changes: Mapping[str, bytes]
    error: str | None


NOTHING_TOLD = Told(False, (), {}, None)
LOST = "more happened within its window than is kept, so that it may be wrong"


class Correlations:
    """Those of a bundle whose groups lie within one agent; others are left out.

    Attributes:
        ids: what may be on or found.
        cells: the names of all cells that they keep.
        referred: the numbers of the rules that any of them looks at.
        followers: the rules that are only ever wanted after another one, and raise no finding.
        awaiting: the cells of what wants them: while there is none of these, nothing comes of a follower.
    """

    def __init__(self, correlations: Sequence[Correlation], numbers: Mapping[str, int], skew_ms: int) -> None:
        """Make them ready.

        Args:
            correlations: of the bundle, in any order.
            numbers: of single rules, by id.
            skew_ms: how far `occurred_at` is believed.

        Raises:
            ValueError, KeyError: a correlation refers to what there is not, or to itself.
        """
        own = ordered([c for c in correlations if c.scope == "agent"], numbers)
        self._compiled = [compile_correlation(c, skew_ms) for c in own]
        self._skew_ms = skew_ms
        places = {c.name: i for i, c in enumerate(own)}
        self._users: dict[int, list[tuple[int, int]]] = {}
        self._chained: list[list[tuple[int, int]]] = [[] for _ in own]
        for i, correlation in enumerate(own):
            for bit, rule in enumerate(correlation.rules):
                use = (i, 1 << bit)
                if rule in places:
                    self._chained[places[rule]].append(use)
                else:
                    self._users.setdefault(numbers[rule], []).append(use)
        self.ids = tuple(c.name for c in own)
        self.cells = tuple(name for c in self._compiled for name in c.names)
        self.referred = frozenset(self._users)
        self.followers = followers_of(correlations)
        self.awaiting = frozenset(
            name for c in self._compiled if not self.followers.isdisjoint(c.of.rules) for name in c.names
        )

    def observe(self, action: Action, matched: Collection[int], cells: Cells) -> Observation:
        """Follow one action.

        Args:
            action: with `received_at` never smaller than that of the agent's earlier actions.
            matched: the numbers of the single rules that matched it.
            cells: all cells of the agent.

        Raises:
            ValueError: a cell is none of ours. Nothing has changed then.
        """
        masks: dict[int, int] = {}
        for number in matched:
            for i, bit in self._users.get(number, ()):
                masks[i] = masks.get(i, 0) | bit
        if not masks:
            return NOTHING
        waiting = list(masks)
        heapify(waiting)
        changes: dict[str, bytes] = {}
        findings: tuple[Finding, ...] = ()
        on: list[str] = []
        errors: list[str] = []
        while waiting:
            i = heappop(waiting)
            told = self._follow(self._compiled[i], masks[i], action, cells)
            changes.update(told.changes)
            findings += told.findings
            if told.error:
                errors.append(told.error)
            if told.holds:
                on.append(self.ids[i])
            # what looks at it stands behind it
            for user, bit in self._chained[i] if told.findings else ():
                if user not in masks:
                    heappush(waiting, user)
                masks[user] = masks.get(user, 0) | bit
        return Observation(changes, findings, tuple(on), 0.0, tuple(errors))

    def _follow(self, one: Compiled, mask: int, action: Action, cells: Cells) -> Told:
        if one.led and not mask & 1 and not any(map(cells.get, one.names)):
            return NOTHING_TOLD
        name = one.of.name
        at = time_of(action, one.of.clock, self._skew_ms)
        try:
            entries = list(entries_of(one.of, one.readings, mask, action, at))
        except ValueError as error:
            return Told(False, (), {}, f"{name}: {error}")
        if not entries:
            return NOTHING_TOLD
        window = Window(one.names, one.form, cells)
        holds = False
        findings: list[Finding] = []
        lost = False
        for entry in entries:
            near = window.entries(entry.group, at - one.span_ms)
            # before what is left out: where its leader was lost, that must be told
            lost = lost or window.lost_at > at - one.span_ms
            if one.led and not entry.rules & 1 and not any(e.rules & 1 for e in near):
                continue
            found = holding(one, [*near, entry], at)
            if found:
                holds = True
                if not near or not near[-1].held:
                    findings.append(finding_of(one.of, action, entry.group, found))
            window.append(entry._replace(held=bool(found)), action.received_at - one.reach_ms, one.prune)
        return Told(holds, tuple(findings), window.changes, f"{name}: {LOST}" if lost else None)


def compile_correlation(of: Correlation, skew_ms: int) -> Compiled:
    """Make one ready. Another title or level goes on with the same cells, another condition begins anew."""
    counted = {name: value for name, value in of.to_json().items() if name not in _TOLD}
    text = json.dumps(counted, sort_keys=True, separators=(",", ":"))
    prefix = PREFIX + sha256(text.encode()).hexdigest()[:16]
    return Compiled(
        of,
        tuple(f"{prefix}.{page}" for page in range(MOST_PAGES)),
        WITH_VALUE if of.kind in VALUED else PLAIN,
        condition_of(of),
        of.timespan * 1000,
        pruning_of(of),
        readings_of(of),
        of.timespan * 1000 + (skew_ms if of.clock == "occurred_at" else 0),
        is_led(of),
    )


def holding(one: Compiled, entries: Sequence[Entry], at: int) -> list[Entry]:
    """The first window with the event's time in which the condition holds; empty without."""
    return next((w for w in windows(entries, at, one.span_ms) if one.holds(w)), [])
