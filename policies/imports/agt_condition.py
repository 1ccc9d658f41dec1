"""Conditions of governance.toolkit/v1, read.

The toolkit's conditions are comparisons joined by `and` and `or` (`or` binds less), without brackets: a field
with a text, a number or a list of texts, or a field alone, which holds where its value is not empty. A field
that is not there is none: not equal to anything, 0 as a number. What the toolkit cannot read never holds
there; here it is named.
"""

import re
from typing import Any, NamedTuple

FIELDS = {
    **dict.fromkeys(("tool_name", "tool.name", "action.tool"), "tool"),
    **dict.fromkeys(("action", "action.type", "action_type"), "action"),
    **dict.fromkeys(("agent_id", "agent.id", "agent_did"), "agent_id"),
    **dict.fromkeys(("tenant", "tenant_id", "tenant.id"), "tenant"),
    **dict.fromkeys(("session_id", "session.id"), "session_id"),
    **dict.fromkeys(("model", "model_name", "model.name"), "model"),
    "resource": "resource",
    "message": "content",
}
"""Fields of the toolkit's context that an action of ours has, under another name."""
COMPUTED = {"sql", "k8s", "redis", "ring", "ring_constraints", "input", "response", "session", "trust_score"}
"""First names of fields that the toolkit itself works out before it judges."""

_PATH = r"(\w+(?:\.\w+)*)"
_TEXT = re.compile(_PATH + r"\s*(==|!=)\s*(?:'([^'\"]+)'|\"([^'\"]+)\")\Z")
_LIST = re.compile(_PATH + r"\s+in\s+\[([^\]]*)\]\Z")
_NUMBER = re.compile(_PATH + r"\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\Z")
_ALONE = re.compile(_PATH + r"\Z")


class NotCarried(Exception):
    """Something has no counterpart here; the message says what a person can do."""


class Atom(NamedTuple):
    """One comparison; `field` is the toolkit's, `op` one of == != in < <= > >= is."""

    field: str
    op: str
    value: Any = None


Condition = list[list[Atom]]
"""One of them must hold whole."""


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        NotCarried: the toolkit's grammar has no such condition, or compares what only the toolkit knows.
    """
    return [[_atom(part.strip()) for part in _split(one, " and ")] for one in _split(text.strip(), " or ")]


def _split(text: str, word: str) -> list[str]:
    """Split outside of quotes."""
    parts, start, quote, at = [], 0, "", 0
    while at < len(text):
        char = text[at]
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        elif not quote and text.startswith(word, at):
            parts.append(text[start:at])
            start = at = at + len(word)
            continue
        at += 1
    return [*parts, text[start:]]


def _atom(text: str) -> Atom:
    if found := _TEXT.match(text):
        atom = Atom(found[1], found[2], found[3] or found[4])
    elif found := _LIST.match(text):
        items = [item.strip().strip("'\"") for item in found[2].split(",") if item.strip()]
        atom = Atom(found[1], "in", items)
    elif found := _NUMBER.match(text):
        atom = Atom(found[1], found[2], float(found[3]))
    elif found := _ALONE.match(text):
        atom = Atom(found[1], "is")
    else:
        raise NotCarried(f"the toolkit has no such condition as {text[:80]!r}: there it never holds")
    if atom.field in ("true", "false"):
        raise NotCarried(f"the toolkit takes {atom.field!r} for a field's name: there it never holds")
    first = atom.field.partition(".")[0]
    if atom.field not in FIELDS and (first in COMPUTED or atom.field.startswith("tool.output")):
        raise NotCarried(f"{atom.field} is worked out by the toolkit; compare the arguments it comes from")
    if atom.field in FIELDS and atom.op in ("<", "<=", ">", ">="):
        raise NotCarried(f"{atom.field} is a text here and cannot be compared with a number")
    return atom


def disjoint(one: Condition, other: Condition) -> bool:
    """Whether two conditions can be seen never to hold together: they want another text of the same field."""
    return all(any(_exclude(a, b) for a in left for b in right) for left in one for right in other)


def _exclude(a: Atom, b: Atom) -> bool:
    if name_of(a.field) != name_of(b.field) or {a.op, b.op} - {"==", "in"}:
        return False
    return not set(texts_of(a)) & set(texts_of(b))


def texts_of(atom: Atom) -> list[str]:
    """The texts that one of == or in compares with."""
    return [atom.value] if atom.op == "==" else list(atom.value)


def name_of(field: str) -> str:
    """What a field of the toolkit is called here: an action's field, or `args.` and a path."""
    if field in FIELDS:
        return FIELDS[field]
    return "args." + field.removeprefix("action.").removesuffix(".value")
