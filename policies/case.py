"""Examples beside the rules: an action, what was before it, and what must be decided."""

from typing import Annotated

from pydantic import Field, JsonValue

from documents.case_action import CaseAction
from documents.types import Id as AnyId
from documents.types import Model, Text
from policies.types import EffectName, Id


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
    detections: list[AnyId] = Field(default_factory=list)
    recent_detections: list[AnyId] = Field(default_factory=list)
    risk: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.0
    after: Annotated[int, Field(ge=0, le=10_000)] = 0
    expect: EffectName
    rule: Id | None = None
    arguments: dict[Text, JsonValue] | None = None
