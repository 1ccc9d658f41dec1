"""A Sigma rule as bundles carry it and as all of ours evaluate it: plain, frozen, JSON there and back.

`detections.sigma.read` makes it from YAML; nothing here knows YAML or pySigma. The tree is as Sigma's
specification 2.1 reads the rule, with lists, modifiers, filters and placeholders already resolved, so that
an evaluator knows `and`, `or`, `not` and the operators of `Atom` only.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from detections.sigma.checks import check_atom

MOST_ATOMS = 5_000
"""In one rule: lists and modifiers are written out before this is counted."""
DEEPEST = 24
"""Levels of a condition."""
LONGEST_VALUE = 4_096
"""Characters of one value."""

Phase = Literal["prompt", "call", "result", "definition", "approval", "outcome"]
PHASES: tuple[str, ...] = get_args(Phase)
"""What `logsource: category:` may say: the phase of the actions that the rule looks at."""
Level = Literal["informational", "low", "medium", "high", "critical"]
Status = Literal["stable", "test", "experimental", "deprecated", "unsupported"]

TextOp = Literal["is", "contains", "starts", "ends", "like", "re"]
TEXT_OPS: tuple[str, ...] = get_args(TextOp)
NumberOp = Literal["lt", "lte", "gt", "gte"]
NUMBER_OPS: tuple[str, ...] = get_args(NumberOp)
TimeOp = Literal["minute", "hour", "day", "week", "month", "year"]
TIME_OPS: tuple[str, ...] = get_args(TimeOp)
Op = Literal[TextOp, NumberOp, TimeOp, "cidr", "exists", "null", "ref"]


class Part(BaseModel):
    """What all parts share: no unknown key, no silent conversion, nothing changes after."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Atom(Part):
    r"""One comparison of one field with one value. `detections.sigma.fields` says what a field's values are.

    True if it is true of *any* of the field's values; never true of a field that is absent, but for `null`
    and `exists: false`.

    | op | value | true of a value if |
    |---|---|---|
    | `is` | text, number or bool | its text is that text; its number is that number |
    | `contains`, `starts`, `ends` | text | the text stands in it, begins it, ends it |
    | `like` | text | all of it is the pattern: `*` any characters, `?` one, `\` before either or itself |
    | `re` | text | the expression (RE2) is found somewhere in it |
    | `lt`, `lte`, `gt`, `gte` | number | its number is less, … ; of no text that is not a number |
    | `cidr` | text | it is an address inside the network |
    | `minute` … `year` | whole number | that part of the time, in UTC, is the number; `week` as ISO 8601 |
    | `exists` | bool | (of the field) it has a value at all, null included |
    | `null` | none | (of the field) it is absent or null |
    | `ref` | a field's name | the text of any of that field's values is its text (see flags) |

    Attributes:
        op: the operator.
        field: a name in the table of fields.
        value: what the operator says.
        flags: letters in this order. `c`: case counts (texts and `ref`; without it they are compared by
            `str.casefold`; `re` always heeds case but with its own `i`). Of `re`: `i`, `m`, `s` as RE2 has
            them. Of `ref`: `s` starts with, `e` ends with, both: contains.
    """

    op: Op
    field: Annotated[str, Field(min_length=1, max_length=300)]
    value: bool | int | float | Annotated[str, Field(max_length=LONGEST_VALUE)] | None = None
    flags: Annotated[str, Field(pattern="^c?i?m?s?e?$")] | None = None

    @model_validator(mode="after")
    def _check(self) -> "Atom":
        wrong = check_atom(self.op, self.field, self.value, self.flags or "")
        if wrong:
            raise PydanticCustomError("atom", "{why}", {"why": wrong})
        return self


class And(Part):
    """All of them; of none it is true."""

    every: Annotated[tuple["Condition", ...], Field(alias="and", strict=False)]


class Or(Part):
    """One of them at least; of none it is false."""

    some: Annotated[tuple["Condition", ...], Field(alias="or", strict=False)]


class Not(Part):
    """The opposite."""

    no: Annotated["Condition", Field(alias="not")]


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return next((key for key in ("and", "or", "not") if key in value), "atom")
    for form, kind in (("and", And), ("or", Or), ("not", Not)):
        if isinstance(value, kind):
            return form
    return "atom"


Condition = Annotated[
    Annotated[And, Tag("and")]
    | Annotated[Or, Tag("or")]
    | Annotated[Not, Tag("not")]
    | Annotated[Atom, Tag("atom")],
    Discriminator(_form),
]

And.model_rebuild()
Or.model_rebuild()
Not.model_rebuild()


def parts(condition: And | Or | Not) -> tuple[Any, ...]:
    """What stands directly beneath."""
    if isinstance(condition, Not):
        return (condition.no,)
    return condition.every if isinstance(condition, And) else condition.some


def atoms(condition: Any) -> Iterator[Atom]:
    """All comparisons of a condition, from left to right."""
    if isinstance(condition, Atom):
        yield condition
        return
    for part in parts(condition):
        yield from atoms(part)


def _check_size(condition: Any) -> Any:
    level, depth = [condition], 0
    while level:
        depth += 1
        level = [p for c in level if not isinstance(c, Atom) for p in parts(c)]
        if depth > DEEPEST:
            raise PydanticCustomError("deep", f"the condition is nested deeper than {DEEPEST} levels")
        if len(level) > 2 * MOST_ATOMS:
            raise PydanticCustomError("large", f"the condition holds more than {MOST_ATOMS} comparisons")
    if sum(1 for _ in atoms(condition)) > MOST_ATOMS:
        raise PydanticCustomError("large", f"the condition holds more than {MOST_ATOMS} comparisons")
    return condition


Words = Annotated[str, Field(max_length=65_535)]


class SigmaRule(Part):
    """A rule.

    Attributes:
        name: what policies, correlations and findings call it: the rule's `name:`, else its UUID.
        uuid: the rule's `id:`.
        title: for people.
        level: how bad a match is; `medium` where the rule says nothing.
        status: how mature its author calls it.
        description: what it finds and why.
        tags: as written, such as `asi01`, `atlas.aml.t0051` or `attack.t1059`.
        falsepositives: what else may match.
        runbook: where it stands what to do about a match.
        phase: which actions it looks at (`logsource: category`); None for all.
        condition: when it matches.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
    uuid: str | None = None
    title: Annotated[str, Field(min_length=1, max_length=256)]
    level: Level = "medium"
    status: Status | None = None
    description: Words = ""
    tags: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(strict=False)] = ()
    falsepositives: Annotated[tuple[Words, ...], Field(strict=False)] = ()
    runbook: Words = ""
    phase: Phase | None = None
    condition: Annotated[Condition, AfterValidator(_check_size)]

    def to_json(self) -> dict[str, Any]:
        """As bundles carry it: plain values, nothing that is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
