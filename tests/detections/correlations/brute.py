"""What correlations say of a stream, by the definitions in docs/detections/correlations.md and nothing else.

Every question is answered from all raw events that came before, without any state; numbers are fractions.
"""

from fractions import Fraction
from math import floor
from typing import Any

from detections.sigma.correlation.model import Correlation
from tests.detections.correlations.streams import Event, World

Seen = tuple[int, set[str], int]
"""An event as a correlation sees it: its time, the rules that matched it, its place in the stream."""


def brute(world: World) -> list[tuple[set[str], set[str]]]:
    """For each event the names that are on, and those that fire."""
    names = {c.name: c for c in world.correlations}
    fired: list[set[str]] = [set(e.matched) for e in world.events]
    told: list[tuple[set[str], set[str]]] = [(set(), set()) for _ in world.events]
    for correlation in _sorted(names):
        for place, (on, fires) in enumerate(_one(correlation, world, fired)):
            if on:
                told[place][0].add(correlation.name)
            if fires:
                told[place][1].add(correlation.name)
                fired[place].add(correlation.name)
    return told


def _sorted(names: dict[str, Correlation]) -> list[Correlation]:
    done: list[Correlation] = []
    while len(done) < len(names):
        for c in names.values():
            if c not in done and all(r not in names or names[r] in done for r in c.rules):
                done.append(c)
    return done


def _one(c: Correlation, world: World, fired: list[set[str]]) -> list[tuple[bool, bool]]:
    held: dict[Any, list[tuple[int, bool]]] = {}
    grouped: dict[Any, list[Seen]] = {}
    told = []
    for place, event in enumerate(world.events):
        on = fires = False
        at = _time(c, event, world.skew_ms)
        for group, rules in _groups(c, event, fired[place]).items():
            events = grouped.setdefault(group, [])
            events.append((at, rules, place))
            holds = _holds_somewhere(c, world, events, at)
            earlier = [was for t, was in held.get(group, []) if t > at - c.timespan * 1000]
            on = on or holds
            fires = fires or (holds and not (earlier and earlier[-1]))
            held.setdefault(group, []).append((at, holds))
        told.append((on, fires))
    return told


def _time(c: Correlation, event: Event, skew: int) -> int:
    now = event.action.received_at
    if c.clock == "received_at":
        return now
    claimed = floor(Fraction(event.action.get("occurred_at"), 1000))
    return sorted((now - skew, claimed, now + skew))[1]


def _groups(c: Correlation, event: Event, fired: set[str]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = {}
    for rule in c.rules:
        if rule not in fired:
            continue
        if c.kind.startswith("value_") and _value(c, event, rule) is None:
            continue
        group = tuple(_kind_of(event.fields.get(c.aliases.get(g, {}).get(rule, g))) for g in c.group_by)
        found.setdefault(group, set()).add(rule)
    return found


def _kind_of(value: Any) -> Any:
    """1 and 1.0 are one, True and "1" others; a list is its elements; null and mappings are as absent."""
    if value is None or isinstance(value, dict):
        return ()
    if isinstance(value, list):
        return tuple(kind for element in value for kind in _kind_of(element))
    if isinstance(value, str | bool):
        return ((type(value), value),)
    return ((float, Fraction(value if abs(value) < 2**63 else float(value))),)


def _flat(value: Any) -> list[Any]:
    """A list's elements; an empty list is an element."""
    return [e for part in value for e in _flat(part)] if isinstance(value, list) and value else [value]


def _value(c: Correlation, event: Event, rule: str) -> Any:
    values = [event.fields.get(c.aliases.get(f, {}).get(rule, f)) for f in c.fields]
    if c.kind == "value_count":
        kinds = [_kind_of(v) for v in values]
        return None if () in kinds else tuple(kinds)
    elements = _flat(values[0])
    value = elements[0] if len(elements) == 1 else None
    if isinstance(value, str):
        whole, _, part = value.removeprefix("-").partition(".")
        plain = all(set(x) <= set("0123456789") for x in (whole, part)) and 1 <= len(whole) <= 15
        if not plain or len(part) > 6 or ("." in value and not part):
            return None
        value = float(value)
    if value is None or isinstance(value, bool | list | dict):
        return None
    return sorted((-9 * 10**12, Fraction(round(Fraction(value) * 10**6), 10**6), 9 * 10**12))[1]


def _holds_somewhere(c: Correlation, world: World, events: list[Seen], at: int) -> bool:
    span = c.timespan * 1000
    for end in {t for t, _, _ in events}:
        if end - span < at <= end:
            window = sorted((e for e in events if end - span < e[0] <= end), key=lambda e: (e[0], e[2]))
            if _holds(c, world, window):
                return True
    return False


def _holds(c: Correlation, world: World, window: list[Seen]) -> bool:
    rules = set().union(*(rules for _, rules, _ in window))
    if c.kind == "temporal_ordered":
        return _in_order(c.rules, [rules for _, rules, _ in window])
    if c.kind == "temporal":
        return _true(c.expression, rules) if c.expression is not None else _compared(c, Fraction(len(rules)))
    if c.kind == "event_count":
        return _compared(c, Fraction(len(window)))
    # an event whose rules have different values counts with that of the first that has one in this group
    values = [
        next(
            v for rule in c.rules if rule in rules and (v := _value(c, world.events[place], rule)) is not None
        )
        for _, rules, place in window
    ]
    if c.kind == "value_count":
        return _compared(c, Fraction(len(set(values))))
    if c.kind == "value_sum":
        return _compared(c, Fraction(sum(values)))
    if c.kind == "value_avg":
        return _compared(c, Fraction(sum(values)) / len(values))
    return _compared(c, _percentile(values, 50 if c.kind == "value_median" else c.percentile))


def _percentile(values: list[Any], percentile: int) -> Fraction:
    values = sorted(values)
    place = Fraction(percentile, 100) * (len(values) - 1)
    low = floor(place)
    high = min(low + 1, len(values) - 1)
    return Fraction(values[low] + (values[high] - values[low]) * (place - low))


def _in_order(rules: tuple[str, ...], window: list[set[str]]) -> bool:
    """Whether different events match the rules one after the other: the earliest that fits is always best."""
    place = 0
    for matched in window:
        if place < len(rules) and rules[place] in matched:
            place += 1
    return place == len(rules)


def _true(tree: Any, rules: set[str]) -> bool:
    if isinstance(tree, str):
        return tree in rules
    values = [_true(part, rules) for part in tree[1:]]
    return {"and": all(values), "or": any(values), "not": not values[0]}[tree[0]]


def _compared(c: Correlation, number: Fraction) -> bool:
    threshold = Fraction(str(c.threshold))
    return {
        "gt": number > threshold,
        "gte": number >= threshold,
        "lt": number < threshold,
        "lte": number <= threshold,
        "eq": number == threshold,
        "neq": number != threshold,
    }[c.operator]
