"""Conditions of governance.toolkit/v1 in `match` and CEL: the same answer, also for absent fields."""

import re

from policies.imports.agt_condition import Atom, Condition, name_of, texts_of

LIFTED = {"tool": "tools", "action": "actions", "agent_id": "agents", "tenant": "tenants", "model": "models"}
RESERVED = set(
    "as break const continue else false for function if import in let loop package namespace null return"
    " true var void while".split()
)


def literal(text: str) -> str:
    """A pattern that matches this very text."""
    return re.sub(r"[\[*?]", lambda found: f"[{found[0]}]", text)


def to_match(condition: Condition) -> tuple[dict[str, list[str]], str]:
    """The condition as `match` and what of it remains for `when`."""
    atoms = condition[0] if len(condition) == 1 else [one[0] for one in condition if len(one) == 1]
    if len(condition) > 1:
        names = {name_of(a.field) for a in atoms}
        if len(atoms) == len(condition) and len(names) == 1 and all(map(_liftable, atoms)):
            return {LIFTED[names.pop()]: [p for a in atoms for p in _patterns(a)]}, ""
        return {}, " || ".join(f"({' && '.join(map(to_cel, one))})" for one in condition)
    match: dict[str, list[str]] = {}
    rest: list[Atom] = []
    for atom in atoms:
        key = LIFTED.get(name_of(atom.field), "")
        if _liftable(atom) and key not in match:
            match[key] = _patterns(atom)
        else:
            rest.append(atom)
    return match, " && ".join(map(to_cel, rest))


def _liftable(atom: Atom) -> bool:
    return name_of(atom.field) in LIFTED and atom.op in ("==", "in") and bool(texts_of(atom))


def _patterns(atom: Atom) -> list[str]:
    """A type of action there is the verb of an action here."""
    texts = list(dict.fromkeys(literal(text) for text in texts_of(atom)))
    if name_of(atom.field) != "action":
        return texts
    return [p for t in texts for p in ((t,) if ":" in t else (t, f"{t}:*"))]


def to_cel(atom: Atom) -> str:
    """One comparison in CEL, with the same answer for a field that is not there."""
    name = name_of(atom.field)
    if not name.startswith("args."):
        return _text_to_cel(atom, name)
    place, there = _place(name.removeprefix("args.").split("."))
    if atom.op == "is":
        empty = " && ".join(f"{place} != {e}" for e in ("null", "false", "0", "''", "[]", "{}"))
        return f"({there} && {empty})"
    if atom.op == "==":
        return f"({there} && {place} == {_quote(atom.value)})"
    if atom.op == "!=":
        return f"!({there} && {place} == {_quote(atom.value)})"
    if atom.op == "in":
        return f"({there} && {place} in [{', '.join(map(_quote, atom.value))}])"
    return f"({there} ? double({place}) : 0.0) {atom.op} {atom.value!r}"


def _text_to_cel(atom: Atom, name: str) -> str:
    field = f"action.{name}"
    if atom.op == "is":
        return f"{field} != ''"
    tests = []
    for text in [atom.value] if atom.op == "!=" else texts_of(atom):
        tests.append(f"{field} == {_quote(text)}")
        if name == "action" and ":" not in text:
            tests.append(f"{field}.startsWith({_quote(text + ':')})")
    told = f"({' || '.join(tests) or 'false'})"
    return f"!{told}" if atom.op == "!=" else told


def _place(steps: list[str]) -> tuple[str, str]:
    """An argument in CEL, and the condition that it is there."""
    place, there = "args", []
    for i, step in enumerate(steps):
        if i:
            there.append(f"type({place}) == map")
        plain = step.isascii() and not step[0].isdigit() and step not in RESERVED
        there.append(f"has({place}.{step})" if plain else f"{_quote(step)} in {place}")
        place = f"{place}.{step}" if plain else f"{place}[{_quote(step)}]"
    return place, " && ".join(there)


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "\\'") + "'"
