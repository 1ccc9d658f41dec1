"""Files of detections: rules and correlations in Sigma, their cases, exceptions. All mistakes of all at once.

Only where people work: workers read detections from bundles and never import this.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detections.beside import CASES, PlacedCase, PlacedException, read_cases, read_exceptions
from detections.sigma.correlation.model import Correlation, building_blocks
from detections.sigma.correlation.reading import check_together, read_correlation
from detections.sigma.reading.mistakes import Told
from detections.sigma.reading.read import Read, read_sigma
from detections.sigma.rule import SigmaRule
from documents.node import Mistake, Node
from documents.read import read_documents
from runtime.errors import PraetorError

MOST_TOLD = 200

Source = tuple[str, bytes]
"""A file's name, as messages call it, and its bytes."""
Document = tuple[str, Node]
"""A document as it was read, and its file's name."""


class PlacedRule(NamedTuple):
    """A rule or correlation, and its document."""

    rule: SigmaRule | Correlation
    source: str
    node: Node


@dataclass(frozen=True, slots=True)
class Loaded:
    """What some files say.

    Attributes:
        rules: single rules, in the order of files and documents.
        correlations: likewise.
        placed: both, by name, with their documents.
        cases: of rules, and of detectors in code.
        exceptions: in their order.
    """

    rules: tuple[SigmaRule, ...]
    correlations: tuple[Correlation, ...]
    placed: dict[str, PlacedRule]
    cases: tuple[PlacedCase, ...]
    exceptions: tuple[PlacedException, ...]

    @property
    def blocks(self) -> frozenset[str]:
        """Rules that only correlations want: they raise no findings of their own."""
        return building_blocks(self.correlations)

    @property
    def detections(self) -> list[SigmaRule | Correlation]:
        """What raises findings, in the order of files and documents."""
        return [p.rule for p in self.placed.values() if p.rule.name not in self.blocks]


class DetectionMistakes(PraetorError):
    """The files are refused. `mistakes` are all of them, by file and line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        """Word the mistakes, at most `MOST_TOLD` of them."""
        self.mistakes = list(mistakes)
        more = [f"... and {len(mistakes) - MOST_TOLD} more"] if len(mistakes) > MOST_TOLD else []
        super().__init__("\n".join([*map(str, mistakes[:MOST_TOLD]), *more]))


def load_detections(sources: Iterable[Source], coded: Sequence[str] = ()) -> Loaded:
    """Read and validate all files.

    Args:
        sources: names and bytes.
        coded: ids of findings of detectors in code, of which cases and exceptions may speak, too.

    Raises:
        DetectionMistakes: something is wrong in any of them.
    """
    mistakes: list[Mistake] = []
    documents: list[Document] = []
    for source, data in sources:
        nodes, wrong = read_documents(source, data)
        mistakes += wrong
        if not nodes and not wrong:
            mistakes.append(Mistake(source, 1, 1, "the file holds nothing"))
        documents += [(source, node) for node in nodes]
    loaded = load_documents(documents, mistakes, coded)
    if mistakes:
        raise DetectionMistakes(sorted(set(mistakes)))
    return loaded


def load_documents(
    documents: Iterable[Document], mistakes: list[Mistake], coded: Sequence[str] = ()
) -> Loaded:
    """Validate documents; what is wrong in them is added to the mistakes."""
    sigma: list[Document] = []
    cases: list[Document] = []
    exceptions: list[Document] = []
    for source, node in documents:
        kind = node.value.get("kind") if isinstance(node.value, dict) else None
        held = cases if source.endswith(CASES) else exceptions if kind == "Exceptions" else sigma
        held.append((source, node))
    read, wrong = read_sigma(sigma)
    mistakes += wrong
    correlations = _correlations(read, mistakes)
    names = [rule.name for rule in read.rules] + [c.name for c in correlations]
    placed = _placed(read, correlations, sigma)
    quiet = building_blocks(correlations)
    loud = {name: p.source for name, p in placed.items() if name not in quiet}
    return Loaded(
        read.rules,
        tuple(correlations),
        placed,
        tuple(read_cases(cases, loud, [*names, *coded], mistakes)),
        tuple(read_exceptions(exceptions, [*names, *coded], mistakes)),
    )


def _correlations(read: Read, mistakes: list[Mistake]) -> list[Correlation]:
    found: dict[str, Correlation] = {}
    places: dict[str, Told] = {}
    for parsed, source, node in read.correlations:
        told = Told(source, node)
        made = read_correlation(parsed, read.names, told.at)
        if made is not None:
            found[made.name] = made
            places[made.name] = told
        else:
            mistakes += told.mistakes
    check_together(found.values(), lambda name, message: places[name].at(("correlation", "rules"), message))
    for told in places.values():
        mistakes += told.mistakes
    return list(found.values())


def _placed(
    read: Read, correlations: Sequence[Correlation], documents: Sequence[tuple[str, Node]]
) -> dict[str, PlacedRule]:
    """By name, in the order of the documents."""
    rules: dict[str, SigmaRule | Correlation] = {r.name: r for r in read.rules}
    rules |= {c.name: c for c in correlations}
    found = {}
    for source, node in documents:
        value = node.value if isinstance(node.value, dict) else {}
        name = read.names.get(str(value.get("name") or value.get("id")))
        if name in rules and name not in found:
            found[name] = PlacedRule(rules[name], source, node)
    return found
