"""What a rule demands beside its patterns: comparisons, a condition in CEL, a limit.

Run on candidates only, after the index; by whom: `policies.sight`.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from policies.cel import Program, compile_condition
from policies.limits import CompiledLimit, compile_limit
from policies.rule import Fields, Rule

Test = tuple[Callable[[Any, Any], Any], int | float]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}


class Comparison(NamedTuple):
    """All comparisons with one field."""

    field: str
    tests: tuple[Test, ...]


class Demand(NamedTuple):
    """All that a rule demands beside its patterns."""

    comparisons: tuple[Comparison, ...]
    program: Program | None
    limit: CompiledLimit | None


def compile_demand(
    policy: str, rule: Rule, lists: Mapping[str, list[str]], known: dict[str, Program] | None = None
) -> Demand | None:
    """Make ready what a rule demands; None where patterns say all.

    Args:
        policy: whose rule it is.
        rule: the rule.
        lists: the named lists that conditions use.
        known: programs of conditions with the same lists, by their texts; the rule's is added.

    Raises:
        BadCondition: its condition does not compile.
    """
    comparisons = _compile_fields(rule.match.fields)
    program = None
    if rule.when is not None:
        text = rule.condition()
        program = known.get(text) if known else None
        program = program or compile_condition(text, tuple(lists))
        if known is not None:
            known[text] = program
    limit = compile_limit(policy, rule)
    return Demand(comparisons, program, limit) if comparisons or program or limit else None


def _compile_fields(fields: Fields | None) -> tuple[Comparison, ...]:
    """In the language's order of fields."""
    return tuple(
        Comparison(field, tuple((OPERATORS[op], number) for op, number in numbers if number is not None))
        for field, numbers in fields or ()
        if numbers is not None
    )
