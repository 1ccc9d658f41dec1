"""From YAML texts to policies: all mistakes of all files together, each with its place and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from documents.node import Mistake, Node
from documents.read import read_documents
from documents.validating import mistake_at, mistake_at_key, validate
from policies.bundle import Bundle, build_bundle
from policies.checks import Located, check_policies, check_shared
from policies.imports.safe_ai import is_safe_ai, read_safe_ai
from policies.model import API_VERSION, Conditions, Lists, Policy
from policies.resolve import Vocabulary
from policies.salvage import salvage
from policies.signals import AS_BEFORE, BEFORE, Detected
from policies.wording import KINDS, SHAPES, WORDING
from runtime.errors import PraetorError

MOST_TOLD = 200

Source = tuple[str, bytes]
"""A file's name, as messages call it, and its bytes."""
Placed = tuple[str, Node]
"""A document as it was read: its file's name, its value with places."""
Document = tuple[str, Node, BaseModel]
"""A document: its file's name, its places, its model."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What some files say.

    Attributes:
        policies: in the order of files and documents.
        detections: what the bundle carries of them.
        places: of each policy by name: file and line.
        names: lists, shared conditions, detections.
        documents: what each document is made of: its file, its places, its model.
    """

    policies: tuple[Policy, ...]
    detections: Detected
    places: dict[str, str]
    names: Vocabulary
    documents: tuple[Document, ...] = ()

    def located(self) -> list[Located]:
        """The policies with their places, in the order of files and documents."""
        return [Located(s, n, m) for s, n, m in self.documents if isinstance(m, Policy)]

    def bundle(self) -> Bundle:
        """The bundle of all of it.

        Raises:
            PraetorError: it would be too large.
        """
        return build_bundle(self.policies, self.detections, self.names)


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
    """Read and validate files that hold policies, lists and conditions.

    Raises:
        PolicyMistakes: something is wrong in any of them.
    """
    mistakes: list[Mistake] = []
    return load_documents(read_nodes(sources, mistakes), mistakes)


def read_nodes(sources: Iterable[Source], mistakes: list[Mistake]) -> list[Placed]:
    """Read files to documents; what cannot be read is added to the mistakes."""
    found: list[Placed] = []
    for source, data in sources:
        documents, wrong = read_documents(source, data)
        mistakes += wrong
        if not documents and not wrong:
            mistakes.append(Mistake(source, 1, 1, "the file holds no policy"))
        found += [(source, node) for node in documents]
    return found


def load_documents(
    documents: Iterable[Placed], mistakes: list[Mistake], detections: Detected = AS_BEFORE
) -> Loaded:
    """Validate documents beside these detections.

    Raises:
        PolicyMistakes: something is wrong in any of them, or was before.
    """
    found: list[Document] = []
    for source, node in documents:
        model = _parse(source, node, mistakes)
        if model is not None:
            found.append((source, node, model))
    policies = [Located(s, n, m) for s, n, m in found if isinstance(m, Policy)]
    lists, _ = _collect(found, Lists, "lists", mistakes)
    conditions, places = _collect(found, Conditions, "conditions", mistakes)
    names = Vocabulary(lists, conditions, BEFORE if detections.names is None else detections.names)
    mistakes += check_shared(places, names)
    mistakes += check_policies(policies, names)
    if mistakes:
        raise PolicyMistakes(sorted(set(mistakes)))
    return Loaded(
        tuple(located.policy for located in policies),
        detections,
        {p.policy.metadata.name: f"{p.source}:{p.node.line}" for p in policies},
        names,
        tuple(found),
    )


def _collect(
    found: list[Document], kind: type[BaseModel], key: str, mistakes: list[Mistake]
) -> tuple[dict[str, Any], dict[str, tuple[str, Node]]]:
    """What all documents of a kind name, and where; a name taken twice is a mistake."""
    values: dict[str, Any] = {}
    places: dict[str, tuple[str, Node]] = {}
    for source, node, model in found:
        for name, value in getattr(model, key).items() if isinstance(model, kind) else ():
            if name in values:
                taken, at = places[name]
                told = f"the name {name} is taken in {taken}:{at.line}; choose another"
                mistakes.append(mistake_at_key(source, node, (key, name), told))
                continue
            values[name] = value
            places[name] = (source, node.find((key, name)))
    return values, places


def _parse(source: str, node: Node, mistakes: list[Mistake]) -> BaseModel | None:
    """The model of a document, or of what is right in it; None where nobody knows what it should be."""
    value = node.value
    if not isinstance(value, dict):
        told = (
            "an empty document; remove the '---'" if value is None else "a policy begins with 'apiVersion:'"
        )
        mistakes.append(Mistake(source, node.line, node.column, told))
        return None
    if is_safe_ai(value):
        return read_safe_ai(source, node, mistakes)
    kind = value.get("kind")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        told = "missing key 'kind'" if "kind" not in value else f"unknown kind {kind!r}"
        mistakes.append(mistake_at(source, node, ("kind",), f"{told}; write one of: {', '.join(KINDS)}"))
        return None
    if value.get("apiVersion", API_VERSION) != API_VERSION:
        told = f"apiVersion {value['apiVersion']!r} is not known; this version reads {API_VERSION}"
        mistakes.append(mistake_at(source, node, ("apiVersion",), told))
        return None
    made = validate(source, node, shape, WORDING, mistakes)
    return salvage(shape, value, len(mistakes)) if made is None else made
