"""What stands beside rules: their cases, and exceptions; every mistake with its place."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from detections.cases import CaseEvent, CasesDocument, DetectionCase
from detections.exceptions import ExceptionsDocument, RuleException
from documents.case_action import CaseAction
from documents.node import Mistake, Node
from documents.validating import mistake_at, validate
from documents.wording import Parts, Wording

CASES = ".cases.yml"
"""How the file of a rule's cases ends; before it stands the name of the rule's file."""

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


def read_cases(
    documents: Iterable[tuple[str, Node]],
    loud: Mapping[str, str],
    known: Sequence[str],
    mistakes: list[Mistake],
) -> Iterator[PlacedCase]:
    """The cases of some documents; what is wrong is added to the mistakes.

    Args:
        documents: of files that end in `CASES`.
        loud: of each rule that raises findings its file: the only one of a file is what is meant beside it.
        known: all detections that cases may speak of.
        mistakes: so far; those of a rule's file say enough, and its cases are passed over.
    """
    refused = {mistake.source for mistake in mistakes}
    for source, node in documents:
        made = validate(source, node, CasesDocument, CASES_WORDING, mistakes)
        beside = f"{source.removesuffix(CASES)}.yml"
        own = [name for name, file in loud.items() if file == beside]
        for i, case in enumerate(made.cases if made and beside not in refused else ()):
            name = case.rule or (own[0] if len(own) == 1 else None)
            line = node.find(("cases", i)).line
            if name is None:
                told = f"which rule? {beside} holds {len(own)} that raise findings; write 'rule:'"
                mistakes.append(mistake_at(source, node, ("cases", i), told))
            elif name not in known:
                told = f"no detection {name!r}{_near(name, known)}"
                mistakes.append(mistake_at(source, node, ("cases", i, "rule"), told))
            else:
                yield PlacedCase(name, case, source, line)


def read_exceptions(
    documents: Iterable[tuple[str, Node]], known: Sequence[str], mistakes: list[Mistake]
) -> Iterator[PlacedException]:
    """The exceptions of some documents of `kind: Exceptions`; what is wrong is added to the mistakes."""
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
