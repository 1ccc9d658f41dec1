"""Rules that can match nothing, and conditions that hold for everything."""

from collections.abc import Iterator
from typing import get_args

from documents.pattern import Kind, parse_pattern
from documents.types import PhaseName
from policies.cel import activate, compile_condition, holds
from policies.errors import Unjudgeable
from policies.explaining.conjuncts import conjuncts
from policies.explaining.steps import fits
from policies.hosts import host_inside, host_touches
from policies.linting.atoms import WHOLE, Atom, read_atom
from policies.linting.finding import Finding
from policies.linting.ground import Ground, Written
from policies.linting.spans import WHOLE as WHOLE_FIELDS
from policies.linting.spans import Span, span, span_of
from policies.paths import path_inside, path_touches
from policies.rule import Match

_KEYS = {
    "action.tenant": "tenants",
    "action.agent_id": "agents",
    "action.action": "actions",
    "action.resource": "resources",
    "action.tool": "tools",
    "action.tool_server": "tool_servers",
    "action.model": "models",
    "action.phase": "phases",
}
_CHOICES = {
    "action.phase": (*get_args(PhaseName), "unknown"),
    "action.mode": ("observe", "enforce", "unknown"),
}
_NOT_NEGATIVE = Span(low=0)


def find_contradictions(ground: Ground) -> Iterator[Finding]:
    """PL101, PL102 and PL201, of every rule where it is written."""
    for written in ground.written.values():
        match = written.resolved.match
        for field, numbers in match.fields or ():
            if numbers is not None and span_of(field, numbers).empty:
                told = f"no {field} satisfies all of these comparisons, so the rule never matches"
                yield written.find("PL101", told, "match", "fields", field)
        yield from _texts_outside(written)
        if written.rule.when is not None:
            yield from _condition(written, ground)
        limit = written.rule.limit
        if limit is not None and limit.amount()[1] == 0:
            told = "a limit of 0 is always used up; leave 'limit' out, the rule then always takes effect"
            yield written.find("PL102", told, "limit")


def _texts_outside(written: Written) -> Iterator[Finding]:
    """Whole texts under `resources` that lie in none of the rule's own paths or hosts."""
    rule = written.resolved
    allow, match = rule.effect == "allow", rule.match
    texts = [parse_pattern(str(r)) for r in match.resources or ()]
    if not texts or any(t.kind is not Kind.exact for t in texts):
        return
    readers = (path_inside, host_inside) if allow else (path_touches, host_touches)
    for key, entries, reader in (("paths", match.paths, readers[0]), ("hosts", match.hosts, readers[1])):
        if entries and not any(reader(t.text, str(e)) for t in texts for e in entries):
            told = f"none of the rule's resources lies within its {key}, so it never matches"
            yield written.find("PL101", told, "match", key)


def _condition(written: Written, ground: Ground) -> Iterator[Finding]:
    parts = conjuncts(written.resolved.condition())
    atoms = []
    for part in parts:
        constant = _constant(part, ground)
        if constant is None:
            atom = read_atom(part)
            if atom is not None:
                atoms.append((part, atom))
        elif constant == "true":
            yield written.find("PL102", f"'{part}' always holds, so it says nothing", "when")
        elif constant == "false":
            yield written.find("PL101", f"'{part}' never holds, so the rule never matches", "when")
        else:
            yield written.find("PL201", f"'{part}' always fails: {constant}", "when")
    yield from _atoms(written, atoms)


def _constant(part: str, ground: Ground) -> str | None:
    """What a part without any name of an action comes to; an error is told. None where it has one."""
    lists = ground.loaded.names.lists
    program = compile_condition(part, tuple(lists))
    used = {name for name in program.names if name.startswith("lists.")}
    if used != set(program.names):
        return None
    values = {name: list(lists[name.removeprefix("lists.")]) for name in used}
    try:
        return str(holds(program, activate(values, tuple(lists)))).lower()
    except Unjudgeable as error:
        return str(error)


def _atoms(written: Written, atoms: list[tuple[str, Atom]]) -> Iterator[Finding]:
    """What parts say of one name, together and beside `match`."""
    match = written.resolved.match
    for name in dict.fromkeys(atom.name for _, atom in atoms):
        own = [(part, atom) for part, atom in atoms if atom.name == name]
        parts = " and ".join(f"'{part}'" for part, _ in own)
        texts = [atom for _, atom in own if isinstance(atom.value, str)]
        if (texts and _no_text(name, texts, match)) or (not texts and _numbers(name, own, match).empty):
            yield written.find(
                "PL101", f"{parts} never holds beside the rest, so the rule never matches", "when"
            )
            continue
        for part, atom in own:
            if not name.startswith("action.") and not isinstance(atom.value, str):
                alone = span([(atom.operator, atom.value)], whole=True)
                if alone.holds(_NOT_NEGATIVE):
                    yield written.find("PL102", f"'{part}' always holds, so it says nothing", "when")


def _no_text(name: str, atoms: list[Atom], match: Match) -> bool:
    """Whether no text can be what these comparisons and the patterns want."""
    wanted = {str(a.value) for a in atoms if a.operator == "eq"}
    if name.endswith("detections"):  # lists; a name that is none was refused before
        return False
    if len(wanted) > 1 or wanted & {str(a.value) for a in atoms if a.operator == "neq"}:
        return True
    patterns = getattr(match, _KEYS[name]) if name in _KEYS else None
    for text in wanted:
        if name in _CHOICES and text not in _CHOICES[name]:
            return True
        if patterns is not None and not any(fits(parse_pattern(str(p)), text) for p in patterns):
            return True
    return False


def _numbers(name: str, own: list[tuple[str, Atom]], match: Match) -> Span:
    """The numbers that these comparisons, and those of `match`, leave over."""
    tests = [(a.operator, float(a.value)) for _, a in own]
    found = span(tests, name in WHOLE)
    if not name.startswith("action."):
        return found.within(_NOT_NEGATIVE)
    field = name.removeprefix("action.")
    numbers = getattr(match.fields, field, None) if match.fields else None
    return (
        found.within(span_of(field, numbers)) if numbers and field in (*WHOLE_FIELDS, "cost_usd") else found
    )
