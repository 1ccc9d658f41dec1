"""From YAML to rules: pySigma reads Sigma, ours says where what is wrong stands, all of it together.

Only where people work (lint, test, build, hunt): workers read rules from bundles and never import this.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import ValidationError
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule as Parsed

from detections.sigma.correlation.reading import parse_correlation
from detections.sigma.reading.atoms import Refused
from detections.sigma.reading.mistakes import Told, place_of, words_of
from detections.sigma.reading.selections import POLICY, Selections, spelled
from detections.sigma.reading.tree import make_condition
from detections.sigma.reading.values import Comparisons, FieldsOf, Lists
from detections.sigma.reading.written import KEYS, check_logsource, rule_values
from detections.sigma.rule import SigmaRule
from detections.sigma.taxonomy import fields_of
from documents.node import Mistake, Node

NO_LISTS: Lists = {}

Document = tuple[str, Node]
"""A file's name, as messages call it, and one document of it."""


class Correlating(NamedTuple):
    """A correlation as pySigma reads it, with its document, for `detections.sigma.correlation`."""

    parsed: SigmaCorrelationRule
    source: str
    node: Node


class Read(NamedTuple):
    """What some documents say.

    Attributes:
        rules: in the order of the documents; filters are applied, and are none.
        correlations: the documents that are correlations.
        names: what rules and correlations may be referred to by (name, UUID): the name.
        places: of each rule and correlation by name: file and line.
    """

    rules: tuple[SigmaRule, ...]
    correlations: tuple[Correlating, ...]
    names: dict[str, str]
    places: dict[str, str]


def read_sigma(
    documents: Iterable[Document], lists: Lists = NO_LISTS, fields_of: FieldsOf = fields_of
) -> tuple[Read, list[Mistake]]:
    """Read documents, and all mistakes in them; nothing is raised. What is wrong is left out.

    Args:
        documents: Sigma's only: rules, filters, correlations.
        lists: what placeholders stand for.
        fields_of: what fields a name in a rule stands for.
    """
    reader = _Reader(Comparisons(lists, fields_of))
    for source, node in documents:
        reader.take(source, node)
    return reader.finish()


class _Reader:
    """Reads documents one after the other; filters are applied at the end."""

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons
        self._rules: list[tuple[Parsed, Told]] = []
        self._filters: list[tuple[SigmaFilter, Told]] = []
        self._correlations: list[Correlating] = []
        self._mistakes: list[Mistake] = []
        self._names: dict[str, str] = {}
        self._places: dict[str, str] = {}

    def take(self, source: str, node: Node) -> None:
        """Take the next document."""
        told = Told(source, node)
        if not isinstance(node.value, dict):
            told.at((), "a Sigma rule is a mapping that begins with 'title:'")
        elif "correlation" in node.value:
            self._correlation(told)
        elif "filter" in node.value:
            self._filter(told)
        else:
            self._rule(told)
        self._mistakes += told.mistakes

    def _correlation(self, told: Told) -> None:
        parsed, errors = parse_correlation(told.node.value)
        for error in errors:
            told.at(place_of(error) or ("correlation",), words_of(error))
        if parsed is not None and self._name(parsed, told) and not errors:
            self._correlations.append(Correlating(parsed, told.source, told.node))

    def _filter(self, told: Told) -> None:
        Selections(told, self._comparisons).check(("filter",), ("condition", "rules"))
        if not told.mistakes:
            written = told.node.value | {"filter": spelled(told.node.value["filter"])}
            parsed = SigmaFilter.from_dict(written, collect_errors=True, policy=POLICY)
            told.errors(parsed.errors)
            if not parsed.errors:
                self._filters.append((parsed, told))

    def _rule(self, told: Told) -> None:
        check_logsource(told)
        Selections(told, self._comparisons).check(("detection",))
        value = told.node.value
        written = value | {"detection": spelled(value["detection"])} if "detection" in value else value
        if told.mistakes:  # what is told already is not told again in pySigma's words
            written = written | {"detection": {"one": {"field": 1}, "condition": "one"}}
        parsed = Parsed.from_dict(written, collect_errors=True, policy=POLICY)
        told.errors(parsed.errors)
        if self._name(parsed, told) and not told.mistakes:
            self._rules.append((parsed, told))

    def _name(self, parsed: Any, told: Told) -> str | None:
        """The one name of a rule; each is taken once."""
        name = parsed.name or (str(parsed.id) if parsed.id else None)
        if name is None:
            told.at((), "the rule has no 'name:' and no 'id:'; findings and policies need one to call it by")
            return None
        for reference in {str(parsed.name or name), str(parsed.id or name)}:
            if reference in self._names:
                told.at(
                    ("name",) if parsed.name == reference else ("id",),
                    f"{reference} is taken in {self._places[self._names[reference]]}; choose another",
                )
                return None
            self._names[reference] = name
        self._places[name] = f"{told.source}:{told.node.line}"
        return str(name)

    def finish(self) -> tuple[Read, list[Mistake]]:
        """What was read."""
        for parsed, told in self._filters:
            self._check_filter(parsed, told)
        rules = [rule for parsed, told in self._rules if (rule := self._make(parsed, told)) is not None]
        read = Read(tuple(rules), tuple(self._correlations), self._names, self._places)
        return read, sorted(set(self._mistakes))

    def _check_filter(self, parsed: SigmaFilter, told: Told) -> None:
        """A filter for a rule that is not there would be thought to work."""
        references = parsed.filter.rules if isinstance(parsed.filter.rules, list) else ()
        for place, reference in enumerate(references):
            if reference.reference not in self._names:
                message = f"there is no rule {reference.reference}; name one by its 'name:' or 'id:'"
                self._mistakes += _one(told, ("filter", "rules", place), message)

    def _make(self, parsed: Parsed, told: Told) -> SigmaRule | None:
        before = len(told.mistakes)
        try:
            for one, _ in self._filters:
                one.apply_on_rule(parsed)
            condition = make_condition(parsed.detection, self._comparisons)
            return SigmaRule.model_validate(rule_values(parsed, condition))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                key = KEYS.get(str(item["loc"][0]), str(item["loc"][0]))
                told.at((key,), item["msg"])
        except (SigmaError, Refused) as error:
            words = words_of(error) if isinstance(error, SigmaError) else str(error)
            told.at(("detection", "condition"), words)
        except RecursionError:
            told.at(("detection", "condition"), "the condition is nested too deeply; use more selections")
        self._mistakes += told.mistakes[before:]
        return None


def _one(told: Told, path: tuple[str | int, ...], message: str) -> list[Mistake]:
    one = Told(told.source, told.node)
    one.at(path, message)
    return one.mistakes
