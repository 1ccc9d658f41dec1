"""Examples beside the rules: an action, what was before it, and what must be decided."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue
from pydantic import Tag as Branch

from policies.types import (
    BY_FORM,
    OTHER_BRANCH,
    TEXT_BRANCH,
    DetectorId,
    EffectName,
    Id,
    Long,
    Model,
    PhaseName,
    Text,
)

_Mapping = Annotated[dict[Text, JsonValue], Branch(OTHER_BRANCH)]
Arguments = Annotated[Annotated[Text, Branch(TEXT_BRANCH)] | _Mapping, BY_FORM]


class CaseAction(Model):
    """The action of a case: fields of ActionEvent, with what a case seldom cares for filled in."""

    tenant: Text = "acme"
    agent_id: Text = "agent-1"
    session_id: Text | None = None
    phase: PhaseName = "call"
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
    labels: dict[Text, Text] = Field(default_factory=dict)
    arguments: Arguments | None = None
    """JSON text, or the arguments written as YAML."""
    content: Text | None = None


class CaseState(Model):
    """What `agent` or `session` says in conditions."""

    actions: Annotated[int, Field(ge=0)] = 0
    denials: Annotated[int, Field(ge=0)] = 0
    age_seconds: Annotated[int, Field(ge=0)] = 0
    idle_seconds: Annotated[int, Field(ge=0)] = 0


Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$")]


class Case(Model):
    """An example: an action and what must be decided of it by all the policies it is tested with.

    `after` is how often the same action was judged before, at the same time: what limits are tried with.
    `arguments` are the modified arguments that must come out.
    """

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    action: CaseAction
    at: Moment = "2026-01-05T12:00:00Z"
    agent: CaseState = CaseState()
    session: CaseState = CaseState()
    detections: list[DetectorId] = Field(default_factory=list)
    after: Annotated[int, Field(ge=0, le=10_000)] = 0
    expect: EffectName
    rule: Id | None = None
    arguments: dict[Text, JsonValue] | None = None
