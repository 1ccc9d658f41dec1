"""The action of an example: what people write beside a rule, and the action that is judged."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue
from pydantic import Tag as Branch

from documents.types import BY_FORM, OTHER_BRANCH, TEXT_BRANCH, Long, Model, PhaseName, Text
from schemas.action import Action, read_action
from schemas.codec import encode

EVENT_ID = "00000000-0000-4000-8000-000000000000"

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


def build_action(case: CaseAction, received_at: int, event_id: str = EVENT_ID) -> Action:
    """The action as a worker would have it.

    Args:
        case: what was written.
        received_at: when it is received, in milliseconds.
        event_id: a UUID.
    """
    fields: dict[str, Any] = case.model_dump()
    if isinstance(fields["arguments"], dict):
        fields["arguments"] = json.dumps(fields["arguments"], ensure_ascii=False)
    record = {"event_id": event_id, "occurred_at": received_at * 1000, **fields}
    return read_action(encode("action_event", record), received_at=received_at)
