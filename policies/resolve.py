"""What names stand for: lists, shared conditions, and the rules that a policy extends."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError

from policies.model import Policy
from policies.rule import Match, Rule
from policies.signals import BEFORE

_SHARED = re.compile(r"\bconditions\s*\.\s*([A-Za-z_]\w*)")
_DETECTED = re.compile(r"""(['"])([^'"\\]*)\1\s+in\s+(?:recent_)?detections\b""")
_LISTED = re.compile(r"\blists\s*\.\s*([A-Za-z_]\w*)")
LARGEST_EXPANSION = 4096

Path = tuple[str | int, ...]


class Unresolved(Exception):
    """A name stands for nothing, or for itself; `path` is where it was used."""

    def __init__(self, message: str, path: Path = ()) -> None:
        """Take what to do, and the place within the rule or policy."""
        super().__init__(message)
        self.path = path


def unknown(what: str, name: str, known: Mapping[str, Any], path: Path = ()) -> Unresolved:
    """A name stands for nothing: what it would be the name of, and which there are."""
    close = get_close_matches(name, known, 1)
    if close:
        return Unresolved(f"no {what} {name}; did you mean {close[0]}?", path)
    there = f"there are {', '.join(sorted(known)[:10])}" if known else "there is none"
    return Unresolved(f"no {what} {name}; {there}", path)


class Vocabulary(NamedTuple):
    """What names stand for in conditions and lists of patterns, and the detections that there are."""

    lists: Mapping[str, list[str]]
    conditions: Mapping[str, str]
    detections: tuple[str, ...] = BEFORE


NO_NAMES = Vocabulary({}, {})


def expand(text: str, conditions: Mapping[str, str], within: tuple[str, ...] = ()) -> str:
    """A condition's text with the shared ones written out.

    Raises:
        Unresolved: one is not there, holds itself, or all of them together are too long.
    """

    def written(found: re.Match[str]) -> str:
        name = found[1]
        if name not in conditions:
            raise unknown("condition", name, conditions)
        if name in within:
            told = " -> ".join((*within[within.index(name) :], name))
            raise Unresolved(f"the condition {name} holds itself ({told}); write it without")
        return f"({expand(conditions[name], conditions, (*within, name))})"

    expanded = _SHARED.sub(written, text)
    if len(expanded) > LARGEST_EXPANSION:
        raise Unresolved(
            f"written out, the condition has more than {LARGEST_EXPANSION} characters; say it in fewer"
        )
    return expanded


def lists_in(text: str) -> set[str]:
    """The names of lists that a condition may use."""
    return set(_LISTED.findall(text))


def resolve_rule(rule: Rule, names: Vocabulary) -> Rule:
    """The rule as a bundle carries it: lists and conditions written out, without what is for people only.

    Raises:
        Unresolved: a name stands for nothing; its path says where.
    """
    changes: dict[str, Any] = {"runbook": None}
    if rule.when is not None:
        try:
            changes["when"] = expand(rule.condition(), names.conditions)
            for _, name in _DETECTED.findall(changes["when"]):
                check_detections((), [name], names)
        except Unresolved as error:
            raise Unresolved(str(error), ("when",)) from error
    check_detections(("match", "detections"), rule.match.detections or (), names)
    check_detections(("match", "recent_detections"), rule.match.recent_detections or (), names)
    given = rule.match.model_dump(exclude_none=True)
    written = {key: _write_out(value, names.lists, ("match", key)) for key, value in given.items()}
    if written != given:
        try:
            changes["match"] = Match.model_validate(written)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ("match", *first["loc"][:1])
            raise Unresolved(f"an entry of the list does not fit here: {first['msg']}", path) from error
    return rule.model_copy(update=changes)


def check_detections(path: Path, wanted: Sequence[str], names: Vocabulary) -> None:
    """Refuse what is no detection; `path` is where they are wanted.

    Raises:
        Unresolved: one is none.
    """
    for i, name in enumerate(wanted):
        if name not in names.detections:
            raise unknown("detection", name, dict.fromkeys(names.detections), (*path, i))


def _write_out(value: Any, lists: Mapping[str, list[str]], path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _write_out(part, lists, (*path, key)) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    entries: list[Any] = []
    for i, entry in enumerate(value):
        if not isinstance(entry, dict):
            entries.append(entry)
        elif entry["list"] in lists:
            entries += lists[entry["list"]]
        else:
            raise unknown("list", entry["list"], lists, (*path, i, "list"))
    return list(dict.fromkeys(entries)) if entries and isinstance(entries[0], str) else entries


def inherit(policy: Policy, by_name: Mapping[str, Policy]) -> list[Rule]:
    """All rules of a policy: those of the policies it extends, in their order, then its own.

    Raises:
        Unresolved: what it extends is not there or extends it, or a rule's id comes from two of them.
    """
    return list(_inherit(policy, by_name, ()).values())


def _inherit(policy: Policy, by_name: Mapping[str, Policy], within: tuple[str, ...]) -> dict[str, Rule]:
    own = {rule.id: rule for rule in policy.rules}
    within = (*within, policy.metadata.name)
    rules: dict[str, Rule] = {}
    for i, base in enumerate(policy.extends or ()):
        if base not in by_name:
            raise unknown("policy", base, by_name, ("extends", i))
        if base in within:
            told = " -> ".join((*within[within.index(base) :], base))
            raise Unresolved(f"the policy {base} extends itself ({told}); remove one step", ("extends", i))
        for name, rule in _inherit(by_name[base], by_name, within).items():
            if name in rules and name not in own:
                told = f"the rule {name} comes from two of the policies extended; give one of your own"
                raise Unresolved(told, ("extends", i))
            rules[name] = rule
    for i, name in enumerate(policy.without or ()):
        if name not in rules:
            raise unknown("inherited rule", name, rules, ("without", i))
        del rules[name]
    return rules | own


def unknown_lists(match: Match, lists: Mapping[str, list[str]]) -> Iterator[Unresolved]:
    """Every entry of a match that names a list which is not there."""
    given = match.model_dump(exclude_none=True)
    found: dict[Path, Any] = {("labels", name): entries for name, entries in given.pop("labels", {}).items()}
    found |= {(key,): entries for key, entries in given.items()}
    for path, entries in found.items():
        for i, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and entry["list"] not in lists:
                yield unknown("list", entry["list"], lists, ("match", *path, i, "list"))


def named_lists(texts: Iterator[str] | list[str], names: Vocabulary) -> dict[str, list[str]]:
    """The lists that some conditions use: what a bundle carries of them."""
    wanted = {name for text in texts for name in lists_in(text)}
    return {name: list(names.lists[name]) for name in sorted(wanted) if name in names.lists}
