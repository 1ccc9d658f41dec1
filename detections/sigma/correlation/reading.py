"""From what pySigma reads of correlations to ours; with every mistake at its place, all of them together.

Only where people work: workers read correlations from bundles and never import this. What pySigma accepts and
this refuses: keys that it would pass over in silence, fields that there are not or that stand for several, a
window beyond 31 days, a boolean condition for `temporal_ordered` or less than all of its rules, and an
agent's correlation over one whose groups span agents, which no agent's worker can follow.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import ValidationError
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionItem,
    CorrelationConditionOR,
    SigmaCorrelationRule,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaCorrelationRuleError, SigmaError

from detections.sigma.correlation.model import AGENT, CLOCKS, Correlation
from detections.sigma.fields import find_field
from detections.sigma.taxonomy import WIDE

KEYS = frozenset({"type", "rules", "aliases", "group-by", "timespan", "condition", "generate"})
CLOCK = "clock"
"""Our one addition, beside `correlation:` as Sigma's specification has custom attributes."""

Path = tuple[str | int, ...]
Tell = Callable[[Path, str], None]
"""Takes a mistake: the path to its place in the document, and what is wrong there."""

_WRITTEN = {"kind": "type", "group_by": "group-by", "fields": "condition", "threshold": "condition"}


def parse_correlation(document: Mapping[str, Any]) -> tuple[SigmaCorrelationRule | None, list[SigmaError]]:
    """What pySigma reads of a document, and its errors, those too that it raises and does not collect."""
    try:
        parsed = SigmaCorrelationRule.from_dict(dict(document), collect_errors=True)
    except SigmaError as error:
        return None, [error]
    except (TypeError, ValueError, AttributeError, LookupError) as error:  # what it takes for granted
        return None, [SigmaCorrelationRuleError(f"pySigma cannot read this: {error}")]
    return parsed, list(parsed.errors)


def read_correlation(
    parsed: SigmaCorrelationRule, names: Mapping[str, str], tell: Tell
) -> Correlation | None:
    """Read one correlation; None where something is wrong with it, which has been told.

    Args:
        parsed: what pySigma reads, without errors of its own.
        names: what a reference (a name or UUID) is called.
        tell: takes what is wrong.
    """
    mistakes: list[tuple[Path, str]] = []

    def wrong(path: Path, message: str) -> None:
        mistakes.append((path, message))

    written = _written(parsed, _called(parsed, names, wrong))
    _check_keys(parsed, wrong)
    _check_fields(written, wrong)
    if not mistakes:
        try:
            return Correlation.model_validate(written)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                key = str(item["loc"][0]) if item["loc"] else ""
                wrong(("correlation", _WRITTEN.get(key, key)) if key else ("correlation",), item["msg"])
    for path, message in mistakes:
        tell(path, message)
    return None


def check_together(correlations: Collection[Correlation], tell: Callable[[str, str], None]) -> None:
    """Tell (by name) what is wrong between correlations: circles, and agents' over what spans agents."""
    known = {c.name: c for c in correlations}
    spanning = {c.name for c in correlations if c.scope == "agents"}
    for c in correlations:
        if c.name in _looked_at(c, known):
            tell(c.name, "by what it looks at, it looks at itself")
        beyond = sorted(spanning & set(c.rules)) if c.scope == "agent" else []
        if beyond:
            tell(
                c.name,
                f"it is grouped by {AGENT}, but looks at {', '.join(beyond)}, whose groups span agents;"
                f" group that by {AGENT} too, or leave {AGENT} out here",
            )


def _looked_at(correlation: Correlation, known: Mapping[str, Correlation]) -> set[str]:
    """The correlations that it looks at, by whatever way."""
    seen: set[str] = set()
    left = list(correlation.rules)
    while left:
        name = left.pop()
        if name in known and name not in seen:
            seen.add(name)
            left += known[name].rules
    return seen


def _called(parsed: SigmaCorrelationRule, names: Mapping[str, str], wrong: Tell) -> dict[str, str]:
    """Every reference, and what it is called."""
    if parsed.rules is not None:
        references = [rule.reference for rule in parsed.rules]
    elif isinstance(parsed.condition, SigmaExtendedCorrelationCondition):
        references = parsed.condition.get_referenced_rules()
    else:
        references = []
    called = {}
    for place, reference in enumerate(references):
        if reference in names:
            called[reference] = names[reference]
        else:
            path: Path = ("correlation", "rules", place) if parsed.rules else ("correlation", "condition")
            wrong(path, f"there is no rule {reference}; name one by its 'name:' or 'id:'")
    return called


def _written(parsed: SigmaCorrelationRule, called: Mapping[str, str]) -> dict[str, Any]:
    """As ours has it."""
    written = {
        "name": parsed.name or str(parsed.id),
        "uuid": None if parsed.id is None else str(parsed.id),
        "title": parsed.title,
        "level": "medium" if parsed.level is None else str(parsed.level),
        "status": None if parsed.status is None else str(parsed.status),
        "description": parsed.description or "",
        "tags": [str(tag) for tag in parsed.tags],
        "falsepositives": parsed.falsepositives or [],
        "runbook": parsed.custom_attributes.get("runbook", ""),
        "clock": parsed.custom_attributes.get(CLOCK, CLOCKS[0]),
        "kind": parsed.type.name.lower(),
        "rules": list(called.values()),
        "group_by": parsed.group_by or [],
        "aliases": {
            alias.alias: {called.get(r.reference, r.reference): field for r, field in alias.mapping.items()}
            for alias in parsed.aliases
        },
        "timespan": parsed.timespan.seconds,
        "generate": parsed.generate,
    }
    condition = parsed.condition
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        return written | {"expression": _tree(condition.parsed, called)}
    field = condition.fieldref
    return written | {
        "operator": condition.op.name.lower(),
        "threshold": condition.count,
        "fields": [] if field is None else [field] if isinstance(field, str) else field,
        "percentile": 50 if condition.percentile is None else condition.percentile,
    }


def _tree(part: CorrelationConditionItem | SigmaRuleReference, called: Mapping[str, str]) -> Any:
    if isinstance(part, SigmaRuleReference):
        return called.get(part.reference, part.reference)
    words = {CorrelationConditionAND: "and", CorrelationConditionOR: "or"}
    return [words.get(type(part), "not"), *(_tree(operand, called) for operand in part.args)]


def _check_keys(parsed: SigmaCorrelationRule, wrong: Tell) -> None:
    document = parsed.custom_attributes.get("correlation", {})
    for key in sorted(set(document) - KEYS):
        wrong(("correlation", key), f"there is no {key} here; known are {', '.join(sorted(KEYS))}")
    condition = document.get("condition")
    percentile = isinstance(condition, dict) and "percentile" in condition
    if percentile != (parsed.type.name == "VALUE_PERCENTILE"):
        why = "has no percentile" if percentile else "needs a percentile, 0 to 100"
        wrong(("correlation", "condition"), f"{parsed.type.name.lower()} {why}")
    if parsed.custom_attributes.get(CLOCK, CLOCKS[0]) not in CLOCKS:
        wrong((CLOCK,), f"a clock is {' or '.join(CLOCKS)}")


def _check_fields(written: Mapping[str, Any], wrong: Tell) -> None:
    aliases = written["aliases"]
    for alias in aliases:
        if find_field(alias) or alias in WIDE:
            wrong(("correlation", "aliases", alias), f"{alias} is a field; call the alias otherwise")
    places = [("group-by", name) for name in written["group_by"] if name not in aliases]
    places += [("condition", name) for name in written.get("fields", ()) if name not in aliases]
    places += [("aliases", name) for fields in aliases.values() for name in fields.values()]
    for key, name in places:
        if name in WIDE:
            several = ", ".join(WIDE[name].fields)
            wrong(("correlation", key), f"{name} stands for several fields ({several}); name one of them")
        elif find_field(name) is None:
            wrong(("correlation", key), f"there is no field {name}; the table is in docs/detections")
