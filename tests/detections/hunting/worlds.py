"""Correlations of seeded worlds, hunted and followed live; labels say which single rules match an event."""

from collections import Counter

from detections.sigma.correlation.compiled import Correlations
from detections.sigma.naive import holds
from detections.sigma.rule import SigmaRule
from detections.sigma.sql.hunt import Hunted, Scope
from schemas.action import Action, read_action
from schemas.codec import encode
from tests.detections.correlations.streams import RULES, World, world
from tests.detections.hunting.stored import Stored

NUMBERS = {rule: i for i, rule in enumerate(RULES)}
SINGLE = {
    name: SigmaRule.model_validate(
        {"name": name, "title": name, "condition": {"op": "is", "field": f"labels.{name}", "value": "yes"}}
    )
    for name in RULES
}


def labelled(of: World) -> list[Action]:
    """The world's actions, which say by labels which rules match them."""
    return [
        read_action(
            encode("action_event", _fields(event.action) | {"labels": dict.fromkeys(event.matched, "yes")}),
            event.action.received_at,
        )
        for event in of.events
    ]


def _fields(action: Action) -> dict[str, object]:
    names = ("event_id", "tenant", "agent_id", "occurred_at", "action", "resource", "arguments")
    return {name: action.get(name) for name in names}


def follow(of: World, actions: list[Action]) -> dict[str, list[tuple[str, int]]]:
    """By correlation the events at which it is on, and whether it fires."""
    engine = Correlations(of.correlations, NUMBERS, of.skew_ms)
    cells: dict[str, bytes] = {}
    found: dict[str, list[tuple[str, int]]] = {c.name: [] for c in of.correlations}
    for action in actions:
        matched = [NUMBERS[name] for name, rule in SINGLE.items() if holds(rule, action)]
        said = engine.observe(action, matched, cells)
        cells |= said.changes
        fires = {f.detector for f in said.findings}
        for name in said.on:
            found[name].append((action.event_id, int(name in fires)))
    return found


def compare_world(stored: Stored, seed: int, cut: float = 0.0) -> Counter[str]:
    """Hunt every correlation of a world, from a part of its time on; the number of cases by kind.

    Raises:
        AssertionError: the hunt finds something else.
    """
    of = world(seed)
    actions = labelled(of)
    expected = follow(of, actions)
    stored.clear()
    stored.insert(actions)
    begin = actions[int(cut * (len(actions) - 1))].received_at
    scope = Scope(begin, actions[-1].received_at + 1, "acme", of.skew_ms)
    inside = {a.event_id for a in actions if a.received_at >= begin}
    hunted = Hunted(SINGLE, {c.name: c for c in of.correlations})
    seen: Counter[str] = Counter()
    for c in of.correlations:
        wanted = [one for one in expected[c.name] if one[0] in inside]
        found = stored.hunt(c.name, hunted, scope)
        assert found == wanted, f"world {seed}, {c!r}\nfound {found}\nlive  {wanted}"
        seen[c.kind] += 1
        seen["found"] += len(found)
    return seen
