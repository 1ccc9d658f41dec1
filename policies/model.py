"""The policy language `praetor/v1`, as pydantic sees it: unknown keys and wrong types are refused.

What the models alone cannot know (places in files, names across files) is checked in `load`.
"""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from policies.canonical import LARGEST
from policies.pattern import parse_pattern

API_VERSION: Literal["praetor/v1"] = "praetor/v1"
RESERVED = "bundle"
"""The policy name under which a bundle's own reasons (its default) stand."""
RESERVED_NAMES = (RESERVED, "praetor")

CodedId = Literal["denial-burst"]
"""The detectors in code, which a bundle sets."""
SourceId = Literal["source-gap", "source-regression", "source-duplicate"]
"""What judgement itself notices in producers' numbering; always on, nothing to set."""
DetectorId = Literal[CodedId, SourceId]
CODED: tuple[str, ...] = get_args(CodedId)
DETECTORS: tuple[str, ...] = get_args(DetectorId)
"""What rules may match, in the order of the index's bits."""


def _check_pattern(text: str) -> str:
    try:
        parse_pattern(text)
    except ValueError as error:
        raise PydanticCustomError("pattern", "{why}", {"why": str(error)}) from error
    return text


def _check_name(text: str) -> str:
    if text in RESERVED_NAMES:
        raise PydanticCustomError(
            "reserved", "'{name}' is Praetor's own name; choose another", {"name": text}
        )
    return text


def _check_text(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise PydanticCustomError("surrogate", "a lone surrogate is no character; remove it")
    return text


Text = Annotated[str, AfterValidator(_check_text)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$"), AfterValidator(_check_name)]
PatternText = Annotated[Text, AfterValidator(_check_pattern)]
Patterns = Annotated[list[PatternText], Field(min_length=1, max_length=10_000)]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
SeverityName = Literal["informational", "low", "medium", "high", "critical"]
EffectName = Literal["allow", "deny"]


class Model(BaseModel):
    """What all parts share: no unknown key, no silent conversion, nothing changes after."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Limits(Model):
    """Comparisons with one number; all of them must hold."""

    gt: Number | None = None
    gte: Number | None = None
    lt: Number | None = None
    lte: Number | None = None
    eq: Number | None = None
    neq: Number | None = None

    @model_validator(mode="after")
    def _some(self) -> "Limits":
        if not self.model_fields_set:
            raise PydanticCustomError("empty", "no comparison; write one of gt, gte, lt, lte, eq, neq")
        return self


class Fields(Model):
    """Limits on the numeric fields of an action; all of them must hold."""

    input_tokens: Limits | None = None
    output_tokens: Limits | None = None
    cost_usd: Limits | None = None
    size_bytes: Limits | None = None


class Match(Model):
    """What a rule speaks of. Every key given must hold; of a list, one entry suffices; no key matches all."""

    tenants: Patterns | None = None
    agents: Patterns | None = None
    actions: Patterns | None = None
    resources: Patterns | None = None
    tools: Patterns | None = None
    detections: Annotated[list[DetectorId], Field(min_length=1)] | None = None
    fields: Fields | None = None


class Rule(Model):
    """One rule. Deny wins over allow; within one effect the higher priority is named first."""

    id: Id
    effect: EffectName
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    match: Match
    severity: SeverityName | None = None
    message: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_check_text)]
    tags: Annotated[list[Tag], Field(max_length=16)] = []


class CaseAction(Model):
    """The action of a case: fields of ActionEvent, with what a case seldom cares for filled in."""

    tenant: Text = "acme"
    agent_id: Text = "agent-1"
    session_id: Text | None = None
    phase: Literal["prompt", "call", "result", "definition", "approval", "outcome"] = "call"
    mode: Literal["observe", "enforce"] = "observe"
    action: Text
    resource: Text = ""
    tool: Text | None = None
    tool_server: Text | None = None
    on_behalf_of: Text | None = None
    principal: Text | None = None
    outcome: Text | None = None
    model: Text | None = None
    input_tokens: Long = 0
    output_tokens: Long = 0
    cost_usd: float = 0.0
    size_bytes: Long = 0
    labels: dict[Text, Text] = {}
    arguments: Text | None = None
    content: Text | None = None


class Case(Model):
    """An example: an action and what must be decided of it by all the policies it is tested with."""

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_text)]
    action: CaseAction
    detections: list[DetectorId] = []
    expect: EffectName
    rule: Id | None = None


class Metadata(Model):
    """What a policy is called and for."""

    name: Id
    description: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_check_text)]


class Policy(Model):
    """A document of `kind: Policy`."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Policy"]
    metadata: Metadata
    mode: Literal["enforce", "shadow"] = "enforce"
    rules: Annotated[list[Rule], Field(min_length=1)]
    cases: Annotated[list[Case], Field(min_length=2)]


class DenialBurst(Model):
    """Settings of the detector `denial-burst`: `count` denials of one agent within `window_seconds`."""

    count: Annotated[int, Field(ge=2, le=40)] = 5
    window_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    severity: SeverityName = "high"


class DetectionSettings(Model):
    """The thresholds of the detectors in code, by detector id."""

    denial_burst: Annotated[DenialBurst, Field(alias="denial-burst")] = DenialBurst()


class Detections(Model):
    """A document of `kind: Detections`: at most one in a bundle."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Detections"]
    detections: DetectionSettings
