"""One rule, as pydantic sees it: what it speaks of, what it demands, what it does."""

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator
from pydantic import Tag as Branch
from pydantic_core import PydanticCustomError

from documents.types import (
    BY_FORM,
    OTHER_BRANCH,
    TEXT_BRANCH,
    Model,
    PhaseName,
    SeverityName,
    Tag,
    Text,
    Words,
)
from documents.types import Id as AnyId
from policies.edits import Edit
from policies.hosts import HostPattern
from policies.paths import PathPattern
from policies.types import REFUSALS, EffectName, Id, ListRef, Number, PatternEntry, RefusalName

_DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_WINDOW = 31 * 86_400


def seconds(duration: str) -> int:
    """The seconds of a duration such as `90s`, `15m`, `1h` or `7d`.

    Raises:
        ValueError: it is none, or longer than 31 days.
    """
    found = _DURATION.match(duration)
    if found is None:
        raise ValueError(f"{duration[:40]!r} is no duration; write a number and s, m, h or d, as in 15m")
    total = int(found[1]) * _UNITS[found[2]]
    if total > LONGEST_WINDOW:
        raise ValueError(f"{duration} is longer than 31 days, which is the longest window")
    return total


def _check(parse: object, text: str) -> str:
    try:
        parse(text)  # type: ignore[operator]
    except ValueError as error:
        raise PydanticCustomError("pattern", "{why}", {"why": str(error)}) from error
    return text


Duration = Annotated[str, AfterValidator(lambda text: _check(seconds, text))]
PathText = Annotated[Text, AfterValidator(lambda text: _check(PathPattern.parse, text))]
HostText = Annotated[Text, AfterValidator(lambda text: _check(HostPattern.parse, text))]
_Listed = Annotated[ListRef, Branch(OTHER_BRANCH)]
PathEntry = Annotated[Annotated[PathText, Branch(TEXT_BRANCH)] | _Listed, BY_FORM]
HostEntry = Annotated[Annotated[HostText, Branch(TEXT_BRANCH)] | _Listed, BY_FORM]
Patterns = Annotated[list[PatternEntry], Field(min_length=1, max_length=10_000)]
Paths = Annotated[list[PathEntry], Field(min_length=1, max_length=10_000)]
Hosts = Annotated[list[HostEntry], Field(min_length=1, max_length=10_000)]
LONGEST_CONDITION = 4096
"""Characters of a condition, shared ones written out and all parts together: as a bundle carries it."""
_Condition = Annotated[Text, Field(min_length=1, max_length=LONGEST_CONDITION)]
_Texts = Annotated[list[_Condition], Field(min_length=1, max_length=32)]
When = Annotated[
    Annotated[_Condition, Branch(TEXT_BRANCH)] | Annotated[_Texts, Branch(OTHER_BRANCH)], BY_FORM
]


class Comparisons(Model):
    """Comparisons with one number; all of them must hold."""

    gt: Number | None = None
    gte: Number | None = None
    lt: Number | None = None
    lte: Number | None = None
    eq: Number | None = None
    neq: Number | None = None

    @model_validator(mode="after")
    def _some(self) -> "Comparisons":
        if not self.model_fields_set:
            raise PydanticCustomError("empty", "no comparison; write one of gt, gte, lt, lte, eq, neq")
        return self


class Fields(Model):
    """Comparisons with the numeric fields of an action; all of them must hold."""

    input_tokens: Comparisons | None = None
    output_tokens: Comparisons | None = None
    cost_usd: Comparisons | None = None
    size_bytes: Comparisons | None = None


class Match(Model):
    """What a rule speaks of. Every key given must hold; of a list, one entry suffices; no key matches all."""

    tenants: Patterns | None = None
    agents: Patterns | None = None
    actions: Patterns | None = None
    resources: Patterns | None = None
    paths: Paths | None = None
    hosts: Hosts | None = None
    tools: Patterns | None = None
    tool_servers: Patterns | None = None
    models: Patterns | None = None
    phases: Annotated[list[PhaseName], Field(min_length=1)] | None = None
    labels: Annotated[dict[Text, Patterns], Field(min_length=1, max_length=8)] | None = None
    detections: Annotated[list[AnyId], Field(min_length=1)] | None = None
    recent_detections: Annotated[list[AnyId], Field(min_length=1)] | None = None
    fields: Fields | None = None


PER = r"^(agent|session|tool|tenant|label:[A-Za-z0-9_.-]{1,64})$"
"""What has a count of its own. A tenant, or the bearers of a label within it, are several agents."""
AmountName = Literal["calls", "tokens", "cost_usd", "bytes"]
AMOUNTS: tuple[str, ...] = get_args(AmountName)


class Limit(Model):
    """How much an agent may do in a time; the rule takes effect beyond it. Exactly one amount, one window."""

    calls: Annotated[Number, Field(ge=0)] | None = None
    tokens: Annotated[Number, Field(ge=0)] | None = None
    cost_usd: Annotated[Number, Field(ge=0)] | None = None
    bytes: Annotated[Number, Field(ge=0)] | None = None
    per: Annotated[str, Field(pattern=PER)] = "agent"
    window: Duration | None = None
    calendar: Literal["hour", "day", "week", "month"] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Limit":
        if sum(getattr(self, name) is not None for name in AMOUNTS) != 1:
            raise PydanticCustomError("empty", "a limit has one amount: calls, tokens, cost_usd or bytes")
        if (self.window is None) == (self.calendar is None):
            raise PydanticCustomError(
                "empty", "a limit has one window: 'window: 1h' (sliding), or 'calendar: day'"
            )
        return self

    def amount(self) -> tuple[str, float]:
        """What is limited, and to how much."""
        return next((n, getattr(self, n)) for n in AMOUNTS if getattr(self, n) is not None)


class Rule(Model):
    """One rule. The strongest effect wins; within one effect the higher priority is named first."""

    id: Id
    effect: EffectName
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    match: Match
    when: When | None = None
    limit: Limit | None = None
    modify: Annotated[list[Edit], Field(min_length=1, max_length=32)] | None = None
    on_error: RefusalName = "deny"
    severity: SeverityName | None = None
    message: Words
    tags: list[Tag] = Field(default_factory=list, max_length=16)
    runbook: Words | None = None
    """What a person does when the rule has fired: for people, never part of a bundle."""

    @model_validator(mode="after")
    def _fits(self) -> "Rule":
        if (self.effect == "modify") != (self.modify is not None):
            told = "'modify:' (what to change) goes with the effect modify, and that effect with it"
            raise PydanticCustomError("empty", told)
        if self.limit is not None and self.effect not in REFUSALS:
            told = (
                "a limit's rule says what happens beyond it, so its effect is deny, require_approval or"
                " defer; what is within the limit is for other rules to allow"
            )
            raise PydanticCustomError("empty", told)
        return self

    def condition(self) -> str:
        """What `when` says as one CEL text; "" where it says nothing."""
        parts = [self.when] if isinstance(self.when, str) else self.when or []
        return parts[0] if len(parts) == 1 else " && ".join(f"({part})" for part in parts)
