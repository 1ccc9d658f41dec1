"""From the conditions that pySigma parses to ours."""

from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaConditionError
from sigma.rule import SigmaDetections

from detections.sigma.reading.values import Comparisons
from detections.sigma.rule import And, Not, Or


def make_condition(detections: SigmaDetections, comparisons: Comparisons) -> Any:
    """What a rule demands: of several conditions, one.

    Raises:
        SigmaError: the condition is none; what pySigma says.
        Refused: a value is refused.
        RecursionError: it is nested too deeply.
    """
    found = [_convert(condition.parsed, comparisons) for condition in detections.parsed_condition]
    return found[0] if len(found) == 1 else Or(some=tuple(found))


def _convert(parsed: Any, comparisons: Comparisons) -> Any:
    if isinstance(parsed, ConditionFieldEqualsValueExpression):
        return comparisons.make(parsed.field, parsed.value)
    if isinstance(parsed, ConditionValueExpression):
        return comparisons.make(None, parsed.value)
    if isinstance(parsed, ConditionNOT):
        return Not(no=_convert(parsed.args[0], comparisons))
    if isinstance(parsed, ConditionAND | ConditionOR):
        parts = _flat(parsed, comparisons)
        return And(every=parts) if isinstance(parsed, ConditionAND) else Or(some=parts)
    raise SigmaConditionError("the condition says nothing")


def _flat(parsed: ConditionAND | ConditionOR, comparisons: Comparisons) -> tuple[Any, ...]:
    """The parts, those of a part of the same kind among them: fewer levels for what evaluates them."""
    found: list[Any] = []
    for arg in parsed.args:
        part = _convert(arg, comparisons)
        if isinstance(part, And) and isinstance(parsed, ConditionAND):
            found += part.every
        elif isinstance(part, Or) and isinstance(parsed, ConditionOR):
            found += part.some
        else:
            found.append(part)
    return tuple(found)
