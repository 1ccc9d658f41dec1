"""What is wrong across documents: names taken twice or standing for nothing, bad conditions."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from documents.node import Mistake, Node
from policies.cel import BadCondition, compile_condition
from policies.model import Policy
from policies.resolve import (
    Path,
    Unresolved,
    Vocabulary,
    check_detections,
    expand,
    inherit,
    resolve_rule,
    unknown,
    unknown_lists,
)
from policies.rule import Rule
from policies.types import REFUSALS


class Located(NamedTuple):
    """A policy with the file and place it was read from."""

    source: str
    node: Node
    policy: Policy

    def mistake(self, path: Path, message: str) -> Mistake:
        """A mistake at a path within the policy."""
        found = self.node.find(path)
        return Mistake(self.source, found.line, found.column, message)


def check_policies(policies: Sequence[Located], names: Vocabulary) -> Iterator[Mistake]:
    """All mistakes that the models alone do not see."""
    first: dict[str, str] = {}
    by_name = {p.policy.metadata.name: p.policy for p in policies}
    for located in policies:
        policy = located.policy
        name = policy.metadata.name
        if name in first:
            told = f"the policy name {name} is taken by {first[name]}; choose another"
            yield located.mistake(("metadata", "name"), told)
        first.setdefault(name, f"{located.source}:{located.node.line}")
        yield from _check_repeats(located, "rules", "id", [r.id for r in policy.rules])
        yield from _check_repeats(located, "cases", "name", [c.name for c in policy.cases])
        for i, rule in enumerate(policy.rules):
            yield from _check_rule(located, ("rules", i), rule, names)
        for i, base in enumerate(policy.extends or ()):
            if base not in by_name:
                yield located.mistake(("extends", i), str(unknown("policy", base, by_name)))
        try:
            rules = [rule.id for rule in inherit(policy, by_name)]
        except Unresolved as error:
            yield located.mistake(error.path, str(error))
            rules = None  # what else it would have, nobody knows
        yield from _check_cases(located, rules, names)


def _check_repeats(located: Located, part: str, key: str, names: list[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if first.setdefault(name, i) != i:
            line = located.node.find((part, first[name], key)).line
            told = f"the {key} {name!r} stands already on line {line}; choose another"
            yield located.mistake((part, i, key), told)


def _check_cases(located: Located, ids: Sequence[str] | None, names: Vocabulary) -> Iterator[Mistake]:
    cases = located.policy.cases
    for i, case in enumerate(cases):
        for key in ("detections", "recent_detections"):
            try:
                check_detections(("cases", i, key), getattr(case, key), names)
            except Unresolved as error:
                yield located.mistake(error.path, str(error))
        if ids is not None and case.rule is not None and case.rule not in ids:
            near = difflib.get_close_matches(case.rule, ids, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; its rules are {', '.join(ids[:10])}"
            told = f"no rule {case.rule} in this policy{hint}"
            yield located.mistake(("cases", i, "rule"), told)
    for word, effects in (("allow", ("allow", "modify")), ("deny", REFUSALS)):
        if all(case.expect not in effects for case in cases):
            told = f"no case expects {word}; add one, so that the policy is tried both ways"
            yield located.mistake(("cases",), told)


def _check_rule(located: Located, path: Path, rule: Rule, names: Vocabulary) -> Iterator[Mistake]:
    wrong = [
        located.mistake((*path, *error.path), str(error)) for error in unknown_lists(rule.match, names.lists)
    ]
    parts = [rule.when] if isinstance(rule.when, str) else rule.when or []
    for j, part in enumerate(parts):
        where = (*path, "when") if isinstance(rule.when, str) else (*path, "when", j)
        wrong += check_condition(located.source, located.node.find(where), part, names)
    yield from wrong
    if wrong:
        return
    try:
        resolved = resolve_rule(rule, names)
        if len(parts) > 1:
            compile_condition(resolved.condition(), tuple(names.lists))
    except Unresolved as error:
        yield located.mistake((*path, *error.path), str(error))
    except BadCondition as error:
        yield located.mistake((*path, "when"), str(error))


def check_condition(source: str, node: Node, text: str, names: Vocabulary) -> Iterator[Mistake]:
    """What is wrong with one condition, at its place: exact where its text stands in the file as it is."""
    try:
        compile_condition(expand(text, names.conditions), tuple(names.lists))
    except Unresolved as error:
        yield Mistake(source, node.line, node.column, str(error))
    except BadCondition as first:
        for bad in (first, *first.more):
            yield _placed(source, node, text, bad)


def _placed(source: str, node: Node, text: str, error: BadCondition) -> Mistake:
    if node.text is not None and "conditions" not in text:
        line, first, others = node.text
        column = first if error.line == 1 else others
        return Mistake(source, line + error.line - 1, column + error.column - 1, str(error))
    told = f"{error} (line {error.line}, column {error.column} of the condition)"
    return Mistake(source, node.line, node.column, told)


def check_shared(places: Mapping[str, tuple[str, Node]], names: Vocabulary) -> Iterator[Mistake]:
    """What is wrong with the shared conditions; `places` are where they stand, by name."""
    for name, (source, node) in places.items():
        yield from check_condition(source, node, names.conditions[name], names)
