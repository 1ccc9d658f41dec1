"""A correlation as bundles carry it: plain, frozen, JSON there and back.

`detections.sigma.correlation.reading` makes it from Sigma; nothing here knows YAML or pySigma. Which groups
it has is in `group_by`. One that has `agent_id` among them never looks beyond one agent: it is evaluated
where that agent's actions are judged, exactly. One that has not spans the agents of a tenant: it is declared
here, and left to whoever sees all of them.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, computed_field, model_validator
from pydantic_core import PydanticCustomError

from detections.sigma.correlation.checks import check_expression, check_measure, check_shape
from detections.sigma.rule import Level, Part, Status, Words

Kind = Literal[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
]
KINDS: tuple[str, ...] = get_args(Kind)
Operator = Literal["gt", "gte", "lt", "lte", "eq", "neq"]
Clock = Literal["received_at", "occurred_at"]
CLOCKS: tuple[str, ...] = get_args(Clock)
Scope = Literal["agent", "agents"]
Expression = Any
"""What is asked of the rules: a rule's name, or a list of "and", "or" or "not" and operands."""

AGENT = "agent_id"
NUMERIC: frozenset[str] = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
VALUED: frozenset[str] = NUMERIC | {"value_count"}

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
FieldName = Annotated[str, Field(min_length=1, max_length=300)]


class Correlation(Part):
    """One correlation.

    Attributes:
        name: what policies, findings and other correlations call it.
        uuid: the rule's `id:`.
        title: for people.
        level: how bad it is; `medium` where the rule says nothing.
        status: how mature its author calls it.
        description: what it finds and why.
        tags: as written.
        falsepositives: what else may make it hold.
        runbook: what to do about it.
        kind: Sigma's `type`.
        rules: names of the rules and correlations it looks at; for `temporal_ordered` in the order asked for.
        group_by: fields, or aliases; events count together where all of these are the same.
        aliases: by alias and rule's name, the field meant.
        timespan: a window's length in seconds.
        operator: how the count or the number is compared.
        threshold: with what.
        fields: whose values count: of `value_count` one or several, of the numeric kinds one.
        percentile: 0 to 100, of `value_percentile`.
        expression: in place of the comparison, for `temporal`.
        clock: which time the window is in.
        generate: whether the rules it looks at also raise findings of their own.
    """

    name: Id
    uuid: str | None = None
    title: Annotated[str, Field(min_length=1, max_length=256)]
    level: Level = "medium"
    status: Status | None = None
    description: Words = ""
    tags: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(strict=False)] = ()
    falsepositives: Annotated[tuple[Words, ...], Field(strict=False)] = ()
    runbook: Words = ""
    kind: Kind
    rules: Annotated[tuple[Id, ...], Field(min_length=1, max_length=16, strict=False)]
    group_by: Annotated[tuple[FieldName, ...], Field(max_length=16, strict=False)] = ()
    aliases: Annotated[dict[str, dict[Id, FieldName]], Field(default_factory=dict)]
    timespan: Annotated[int, Field(ge=1, le=31 * 86_400)]
    operator: Operator = "gte"
    threshold: int | float = 1
    fields: Annotated[tuple[FieldName, ...], Field(max_length=16, strict=False)] = ()
    percentile: Annotated[int, Field(ge=0, le=100)] = 50
    expression: Expression = None
    clock: Clock = "received_at"
    generate: bool = False

    @computed_field  # type: ignore[prop-decorator]
    @property
    def scope(self) -> Scope:
        """Whether its groups lie within one agent, or span the agents of a tenant."""
        return "agent" if AGENT in self.group_by and AGENT not in self.aliases else "agents"

    @model_validator(mode="before")
    @classmethod
    def _without_scope(cls, value: Any) -> Any:
        """The scope is written for those who read bundles, and follows from the rest."""
        if not isinstance(value, dict) or "scope" not in value:
            return value
        return {name: part for name, part in value.items() if name != "scope"}

    @model_validator(mode="after")
    def _check(self) -> "Correlation":
        wrong = check_shape(self.kind, self.rules, self.aliases)
        if self.expression is not None:
            wrong = wrong or check_expression(self.kind, self.expression, self.rules)
        measured = self.kind, self.threshold, self.fields, len(self.rules), self.operator
        wrong = wrong or check_measure(*measured)
        if wrong:
            raise PydanticCustomError("correlation", "{why}", {"why": wrong})
        return self

    def field_for(self, name: str, rule: str) -> str:
        """The field that a name of `group_by` or `fields` means in an event that a rule matched."""
        return self.aliases.get(name, {}).get(rule, name)

    def to_json(self) -> dict[str, Any]:
        """As bundles carry it: plain values, nothing that is absent."""
        return self.model_dump(mode="json", exclude_none=True)


def building_blocks(correlations: Iterable[Correlation]) -> frozenset[str]:
    """Names that only correlations want: those rules are on where they match, but raise no findings.

    One correlation without `generate` makes its rules such, whatever others say, as pySigma has it.
    """
    return frozenset(rule for c in correlations if not c.generate for rule in c.rules)


def is_led(correlation: Correlation) -> bool:
    """Whether its events come in their order, so that nothing comes of it before one of its first rule."""
    return correlation.kind == "temporal_ordered" and correlation.clock == "received_at"


def followers_of(correlations: Sequence[Correlation]) -> frozenset[str]:
    """The rules that are only ever wanted after another one, and raise no finding."""
    led = {c.name for c in correlations if c.scope == "agent" and is_led(c)}
    later = {name for c in correlations if c.name in led for name in c.rules[1:]}
    otherwise = {name for c in correlations for name in (c.rules[:1] if c.name in led else c.rules)}
    return frozenset((later & building_blocks(correlations)) - otherwise)
