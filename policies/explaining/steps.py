"""What one rule asks of one action, key by key: what was asked, what was seen, whether it held."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from documents.pattern import Kind, Pattern, parse_pattern
from policies.cel import Program, compile_condition
from policies.conditions import OPERATORS, Demand
from policies.dimension import HOSTS, PATHS, ReadingKind
from policies.errors import Unjudgeable
from policies.explaining.conjuncts import conjuncts
from policies.explaining.showing import listed, shown
from policies.limits import MICRO, Charge, charge, is_over
from policies.rule import Match, Rule
from policies.sight import Cells, Reader, Sight, make_world
from policies.signals import Signals, names_of
from schemas.action import Action

SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "==", "neq": "!="}

_TEXTS = (
    ("tenants", "tenant"), ("agents", "agent_id"), ("actions", "action"), ("resources", "resource"),
    ("tools", "tool"), ("tool_servers", "tool_server"), ("models", "model"), ("phases", "phase"),
)  # fmt: skip


class Step(NamedTuple):
    """One key of a rule, tried on an action.

    Attributes:
        key: `actions`, `labels.env`, `fields.cost_usd`, `when`, `limit`.
        held: whether it did.
        asked: what the rule demands.
        saw: what was there.
        by: the pattern or part that made it hold, or fail.
        failed: why it could not be judged; "" where it could.
    """

    key: str
    held: bool
    asked: str
    saw: str
    by: str = ""
    failed: str = ""


class Seen(NamedTuple):
    """All that a rule is judged by.

    Attributes:
        action: what happened.
        signals: what detections say of it.
        cells: the agent's.
        read: what conditions see of them.
        lists: the named lists that conditions use.
        names: the bundle's detections, in the order of their bits.
    """

    action: Action
    signals: Signals
    cells: Cells
    read: Reader
    lists: dict[str, list[str]]
    names: tuple[str, ...]


def pattern_steps(match: Match, allow: bool, seen: Seen) -> Iterator[Step]:
    """What the patterns of a rule say; `allow` is whether the rule allows."""
    for key, field in _TEXTS:
        patterns = getattr(match, key)
        if patterns is not None:
            yield _text_step(key, patterns, seen.action.get(field))
    labels = seen.action.get("labels")
    for name, patterns in (match.labels or {}).items():
        yield _text_step(f"labels.{name}", patterns, labels.get(name))
    for key, entries, kind in (("paths", match.paths, PATHS), ("hosts", match.hosts, HOSTS)):
        if entries is not None:
            yield _reading_step(key, [str(e) for e in entries], seen.action.resource, kind, allow)
    for key, wanted, bits in (
        ("detections", match.detections, seen.signals.on),
        ("recent_detections", match.recent_detections, seen.signals.recent),
    ):
        if wanted is not None:
            on = names_of(seen.names, bits)
            by = next((d for d in wanted if d in on), "")
            yield Step(key, bool(by), listed(wanted), listed(on) or "none", by)


def demand_steps(rule: Rule, demand: Demand, seen: Seen) -> Iterator[Step]:
    """What a rule demands beside its patterns, in the order in which it is judged."""
    for field, numbers in rule.match.fields or ():
        if numbers is not None:
            yield _compare_step(field, numbers, seen)
    if demand.program is not None:
        yield _condition_step(rule.condition(), demand.program, seen)
    if demand.limit is not None:
        try:
            yield _limit_step(rule, charge(demand.limit, seen.action, seen.cells))
        except Unjudgeable as error:
            yield Step("limit", False, _limit_asked(rule), "", failed=str(error))


def _text_step(key: str, entries: list[Any], value: str | None) -> Step:
    patterns = [str(e) for e in entries]
    by = "" if value is None else next((p for p in patterns if fits(parse_pattern(p), value)), "")
    return Step(key, bool(by), listed(patterns), "absent" if value is None else shown(value), by)


def fits(pattern: Pattern, value: str) -> bool:
    """Whether a value is one of those that a pattern means."""
    if pattern.kind is Kind.exact:
        return value == pattern.text
    if pattern.kind is Kind.prefix:
        return value.startswith(pattern.text)
    return re.match(pattern.regex, value) is not None


def _reading_step(key: str, entries: list[str], resource: str, kind: ReadingKind, allow: bool) -> Step:
    readings = kind.read(resource)
    if readings.unreadable:
        told = f"{shown(resource)}, which cannot be read safely: {readings.unreadable}"
        return Step(key, not allow, listed(entries), told, "" if allow else entries[0])
    values = readings.values
    ask = all if allow else any
    by = next((e for e in entries if values and ask(kind.parse(e).holds(v) for v in values)), "")
    kinds = "path" if key == "paths" else "host"
    saw = (
        f"{shown(resource)}, read as {listed(values)}"
        if values
        else f"{shown(resource)}, which names no {kinds}"
    )
    return Step(key, bool(by), listed(entries), saw, by)


def _compare_step(field: str, numbers: Any, seen: Seen) -> Step:
    tests = [(name, number) for name, number in numbers if number is not None]
    asked = ", ".join(f"{SIGNS[name]} {number:g}" for name, number in tests)
    value, key = seen.action.get(field), f"fields.{field}"
    if value.__class__ not in (int, float) or value != value:
        failed = f"{field} is {value!r}, which cannot be compared with a number"
        return Step(key, False, asked, repr(value), failed=failed)
    wrong = next((f"{SIGNS[n]} {number:g}" for n, number in tests if not OPERATORS[n](value, number)), "")
    return Step(key, not wrong, asked, repr(value), wrong)


def _condition_step(text: str, program: Program, seen: Seen) -> Step:
    sight = _sight(program, seen)
    saw = ", ".join(_values(sight, program.names))
    try:
        held, _ = sight.hold(Demand((), program, None))
    except Unjudgeable as error:
        return Step("when", False, text, saw, failed=str(error))
    return Step("when", held, text, saw, "" if held else _false_part(text, seen))


def _sight(program: Program, seen: Seen) -> Sight:
    world = make_world([program], seen.lists, seen.read, seen.names)
    return Sight(world, seen.action, seen.signals, seen.cells)


def _false_part(text: str, seen: Seen) -> str:
    """The first of the condition's parts that does not hold."""
    for part in conjuncts(text):
        program = compile_condition(part, tuple(seen.lists))
        try:
            held, _ = _sight(program, seen).hold(Demand((), program, None))
        except Unjudgeable:
            continue
        if not held:
            return part
    return text


def _values(sight: Sight, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        try:
            value = sight.value(name)
        except Unjudgeable as error:
            yield f"{name}: {error}"
            continue
        wanted = sight.world.arguments
        if name == "args" and wanted is not None:
            for key in sorted(wanted):
                yield f"args.{key} = {shown(value[key])}" if key in value else f"args.{key} is absent"
        else:
            yield f"{name} = {shown(value)}"


def _limit_step(rule: Rule, counted: Charge) -> Step:
    unit = MICRO if counted.limit.amount == "cost_usd" else 1
    used, amount, most = (n / unit for n in (counted.used, counted.amount, counted.limit.most))
    told = f"{used:g} of {most:g} used, this action counts {amount:g}"
    return Step("limit", is_over(counted), _limit_asked(rule), told)


def _limit_asked(rule: Rule) -> str:
    limit = rule.limit
    if limit is None:
        return ""
    amount, most = limit.amount()
    when = f"within {limit.window}" if limit.window else f"in a calendar {limit.calendar}"
    return f"beyond {most:g} {amount} {when}, per {limit.per}"
