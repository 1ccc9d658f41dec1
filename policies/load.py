"""From YAML texts to policies: all mistakes of all files together, each with its place and what to do."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from policies.document import read_documents
from policies.model import API_VERSION, Detections, DetectionSettings, Policy
from policies.node import Mistake, Node
from policies.wording import SHAPES, describe
from runtime.errors import PraetorError

MOST_TOLD = 200

Source = tuple[str, bytes]
"""A file's name, as messages call it, and its bytes."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What some files say.

    Attributes:
        policies: in the order of files and documents.
        detections: the thresholds; the defaults where no file sets them.
        places: of each policy by name: file and line.
    """

    policies: tuple[Policy, ...]
    detections: DetectionSettings
    places: dict[str, str]


class PolicyMistakes(PraetorError):
    """The files are refused. `mistakes` are all of them, by file and line."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        """Word the mistakes, at most `MOST_TOLD` of them."""
        self.mistakes = mistakes
        lines = [str(m) for m in mistakes[:MOST_TOLD]]
        if len(mistakes) > MOST_TOLD:
            lines.append(f"... and {len(mistakes) - MOST_TOLD} more")
        super().__init__("\n".join(lines))


def load_policies(sources: Iterable[Source]) -> Loaded:
    """Read and validate all files.

    Raises:
        PolicyMistakes: something is wrong in any of them.
    """
    mistakes: list[Mistake] = []
    policies: list[tuple[str, Node, Policy]] = []
    settings: list[tuple[str, Node, Detections]] = []
    for source, data in sources:
        documents, found = read_documents(source, data)
        mistakes += found
        if not documents and not found:
            mistakes.append(Mistake(source, 1, 1, "the file holds no policy"))
        for node in documents:
            model = _parse(source, node, mistakes)
            if isinstance(model, Policy):
                policies.append((source, node, model))
            elif isinstance(model, Detections):
                settings.append((source, node, model))
    mistakes += _check_policies(policies)
    for source, node, _ in settings[1:]:
        first = f"{settings[0][0]}:{settings[0][1].line}"
        mistakes.append(_at(source, node, ("kind",), f"detections are set already in {first}; keep one"))
    if mistakes:
        raise PolicyMistakes(sorted(set(mistakes)))
    return Loaded(
        tuple(policy for _, _, policy in policies),
        settings[0][2].detections if settings else DetectionSettings(),
        {policy.metadata.name: f"{source}:{node.line}" for source, node, policy in policies},
    )


def _parse(source: str, node: Node, mistakes: list[Mistake]) -> BaseModel | None:
    """The model of a document; None when it is wrong beyond saying what it should be."""
    value = node.value
    if not isinstance(value, dict):
        told = (
            "an empty document; remove the '---'" if value is None else "a policy begins with 'apiVersion:'"
        )
        mistakes.append(Mistake(source, node.line, node.column, told))
        return None
    kind = value.get("kind")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        told = "missing key 'kind'" if "kind" not in value else f"unknown kind {kind!r}"
        mistakes.append(_at(source, node, ("kind",), f"{told}; write one of: {', '.join(SHAPES)}"))
        return None
    if value.get("apiVersion", API_VERSION) != API_VERSION:
        told = f"apiVersion {value['apiVersion']!r} is not known; this version reads {API_VERSION}"
        mistakes.append(_at(source, node, ("apiVersion",), told))
        return None
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        mistakes += _translate(source, node, error)
        return None


def _translate(source: str, node: Node, error: ValidationError) -> Iterator[Mistake]:
    for item in error.errors(include_url=False):
        path = item["loc"]
        message = describe(path, item)
        if item["type"] == "extra_forbidden":
            yield _key_at(source, node, path, message)
        else:
            yield _at(source, node, path, message)


def _at(source: str, node: Node, path: tuple[str | int, ...], message: str) -> Mistake:
    found = node.find(path)
    return Mistake(source, found.line, found.column, message)


def _key_at(source: str, node: Node, path: tuple[str | int, ...], message: str) -> Mistake:
    line, column = node.find(path[:-1]).keys[str(path[-1])]
    return Mistake(source, line, column, message)


def _check_policies(policies: list[tuple[str, Node, Policy]]) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for source, node, policy in policies:
        name = policy.metadata.name
        if name in first:
            told = f"the policy name {name} is taken by {first[name]}; choose another"
            yield _at(source, node, ("metadata", "name"), told)
        first.setdefault(name, f"{source}:{node.line}")
        yield from _check_repeats(source, node, "rules", "id", [r.id for r in policy.rules])
        yield from _check_repeats(source, node, "cases", "name", [c.name for c in policy.cases])
        yield from _check_cases(source, node, policy)


def _check_repeats(source: str, node: Node, part: str, key: str, names: list[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if first.setdefault(name, i) != i:
            line = node.find((part, first[name], key)).line
            told = f"the {key} {name!r} stands already on line {line}; choose another"
            yield _at(source, node, (part, i, key), told)


def _check_cases(source: str, node: Node, policy: Policy) -> Iterator[Mistake]:
    ids = [r.id for r in policy.rules]
    for i, case in enumerate(policy.cases):
        if case.rule is not None and case.rule not in ids:
            near = difflib.get_close_matches(case.rule, ids, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; its rules are {', '.join(ids[:10])}"
            told = f"no rule {case.rule} in this policy{hint}"
            yield _at(source, node, ("cases", i, "rule"), told)
    for effect in ("allow", "deny"):
        if all(case.expect != effect for case in policy.cases):
            told = f"no case expects {effect}; add one, so that the policy is tried both ways"
            yield _at(source, node, ("cases",), told)
