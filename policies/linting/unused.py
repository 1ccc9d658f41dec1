"""Names that nothing uses."""

import re
from collections.abc import Iterator

from documents.node import Node
from policies.linting.finding import Finding
from policies.linting.ground import Ground
from policies.model import Conditions, Lists
from policies.resolve import lists_in
from policies.types import ListRef

_SHARED = re.compile(r"\bconditions\s*\.\s*([A-Za-z_]\w*)")


def find_unused(ground: Ground) -> Iterator[Finding]:
    """PL301, PL302 and PL303."""
    texts = [w.rule.condition() for w in ground.written.values()]
    texts += ground.loaded.names.conditions.values()
    lists = {name for text in texts for name in lists_in(text)} | set(_listed(ground))
    conditions = {name for text in texts for name in _SHARED.findall(text)}
    for source, node, model in ground.loaded.documents:
        if isinstance(model, Lists):
            yield from _names(source, node, "lists", set(model.lists) - lists, "PL301", "the list")
        elif isinstance(model, Conditions):
            unused = set(model.conditions) - conditions
            yield from _names(source, node, "conditions", unused, "PL302", "the condition")
    extended = {base for p in ground.loaded.policies for base in p.extends or ()}
    for located in ground.loaded.located():
        name = located.policy.metadata.name
        if located.policy.mode == "template" and name not in extended:
            place = located.node.find(("metadata", "name"))
            told = f"no policy extends the template {name}, so it is not in force"
            yield Finding(located.source, place.line, place.column, "PL303", told)


def _names(source: str, node: Node, key: str, unused: set[str], code: str, kind: str) -> Iterator[Finding]:
    for name in unused:
        line, column = node.find((key,)).keys[name]
        yield Finding(source, line, column, code, f"nothing uses {kind} {name}; remove it")


def _listed(ground: Ground) -> Iterator[str]:
    """The lists that stand in a `match`."""
    for written in ground.written.values():
        match = written.rule.match
        for key, _ in match:
            value = getattr(match, key)
            held = [e for entries in value.values() for e in entries] if isinstance(value, dict) else value
            if isinstance(held, list):
                yield from (entry.list for entry in held if isinstance(entry, ListRef))
