"""Files of detections: rules and correlations in Sigma, their cases, exceptions. All mistakes of all at once.

Only where people work: workers read detections from bundles and never import this.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detections.cases import CaseEvent, CasesDocument, DetectionCase
from detections.exceptions import ExceptionsDocument, RuleException
from detections.sigma.correlation.model import Correlation, building_blocks
from detections.sigma.correlation.reading import read_correlation
from detections.sigma.reading.mistakes import Told
from detections.sigma.reading.read import Read, read_sigma
from detections.sigma.rule import SigmaRule
from documents.case_action import CaseAction
from documents.node import Mistake, Node
from documents.read import read_documents
from documents.validating import mistake_at, validate
from documents.wording import Parts, Wording
from runtime.errors import PraetorError

CASES = ".cases.yml"
"""How the file of a rule's cases ends; before it stands the name of the rule's file."""
MOST_TOLD = 200

Source = tuple[str, bytes]
"""A file's name, as messages call it, and its bytes."""

_CASES: Parts = {
    ("cases",): DetectionCase,
    ("cases", "action"): CaseAction,
    ("cases", "events"): CaseEvent,
}
CASES_WORDING = Wording(_CASES, ("cases",))
_EXCEPTIONS: Parts = {("exceptions",): RuleException}
EXCEPTIONS_WORDING = Wording(_EXCEPTIONS, tuple(ExceptionsDocument.model_fields))


class PlacedCase(NamedTuple):
    """A case, the detection that it is of, and where it stands."""

    rule: str
    case: DetectionCase
    source: str
    line: int

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.source}:{self.line}"


class PlacedException(NamedTuple):
    """An exception, and where it stands."""

    exception: RuleException
    source: str
    node: Node


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
    sigma: list[tuple[str, Node]] = []
    cases: list[tuple[str, Node]] = []
    exceptions: list[tuple[str, Node]] = []
    for source, data in sources:
        nodes, wrong = read_documents(source, data)
        mistakes += wrong
        if not nodes and not wrong:
            mistakes.append(Mistake(source, 1, 1, "the file holds nothing"))
        for node in nodes:
            kind = node.value.get("kind") if isinstance(node.value, dict) else None
            held = cases if source.endswith(CASES) else exceptions if kind == "Exceptions" else sigma
            held.append((source, node))
    read, wrong = read_sigma(sigma)
    mistakes += wrong
    correlations = _correlations(read, mistakes)
    names = [rule.name for rule in read.rules] + [c.name for c in correlations]
    placed = _placed(read, correlations, sigma)
    loaded = Loaded(
        read.rules,
        tuple(correlations),
        placed,
        tuple(_cases(cases, placed, coded, building_blocks(correlations), mistakes)),
        tuple(_exceptions(exceptions, [*names, *coded], mistakes)),
    )
    if mistakes:
        raise DetectionMistakes(sorted(set(mistakes)))
    return loaded


def _correlations(read: Read, mistakes: list[Mistake]) -> list[Correlation]:
    found = []
    for parsed, source, node in read.correlations:
        told = Told(source, node)
        made = read_correlation(parsed, read.names, told.at)
        mistakes += told.mistakes
        if made is not None:
            found.append(made)
    return found


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


def _cases(
    documents: Iterable[tuple[str, Node]],
    placed: dict[str, PlacedRule],
    coded: Sequence[str],
    blocks: frozenset[str],
    mistakes: list[Mistake],
) -> Iterator[PlacedCase]:
    for source, node in documents:
        made = validate(source, node, CasesDocument, CASES_WORDING, mistakes)
        beside = f"{source.removesuffix(CASES)}.yml"
        own = [name for name, p in placed.items() if p.source == beside and name not in blocks]
        for i, case in enumerate(made.cases if made else ()):
            name = case.rule or (own[0] if len(own) == 1 else None)
            line = node.find(("cases", i)).line
            if name is None:
                told = f"which rule? {beside} holds {len(own)} that raise findings; write 'rule:'"
                mistakes.append(mistake_at(source, node, ("cases", i), told))
            elif name not in placed and name not in coded:
                told = f"no detection {name!r}{_near(name, [*placed, *coded])}"
                mistakes.append(mistake_at(source, node, ("cases", i, "rule"), told))
            else:
                yield PlacedCase(name, case, source, line)


def _exceptions(
    documents: Iterable[tuple[str, Node]], known: Sequence[str], mistakes: list[Mistake]
) -> Iterator[PlacedException]:
    taken: dict[str, str] = {}
    for source, node in documents:
        made = validate(source, node, ExceptionsDocument, EXCEPTIONS_WORDING, mistakes)
        for i, exception in enumerate(made.exceptions if made else ()):
            path = ("exceptions", i)
            at = f"{source}:{node.find(path).line}"
            if exception.id in taken:
                told = f"the id {exception.id} is taken in {taken[exception.id]}; choose another"
                mistakes.append(mistake_at(source, node, (*path, "id"), told))
            taken.setdefault(exception.id, at)
            for k, name in enumerate(exception.detections):
                if name not in known:
                    told = f"no detection {name!r}{_near(name, known)}"
                    mistakes.append(mistake_at(source, node, (*path, "detections", k), told))
            yield PlacedException(exception, source, node.find(path))


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else "; `praetor detect list` names them"
