"""OpenTelemetry's names for what an ActionEvent holds, in one place.

Source: the GenAI and MCP semantic conventions (schema gen-ai-dev/1.42.0-dev, all "Development"), and what
the versions before called the same: `gen_ai.system`, `gen_ai.usage.prompt_tokens` and `completion_tokens`.
A convention's new name is one row more here.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Attributes = Mapping[str, Any]


class Name(NamedTuple):
    """An attribute's name, the field that it fills, and how its value becomes the field's."""

    attribute: str
    field: str
    read: Callable[[Any], Any]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _json(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# In order of preference: the first attribute of a field that is there, and is of its type, wins.
NAMES = (
    Name("gen_ai.agent.id", "agent_id", _text),
    Name("gen_ai.agent.name", "agent_id", _text),
    Name("gen_ai.conversation.id", "session_id", _text),
    Name("gen_ai.tool.name", "tool", _text),
    Name("gen_ai.request.model", "model", _text),
    Name("gen_ai.response.model", "model", _text),
    Name("gen_ai.usage.input_tokens", "input_tokens", _count),
    Name("gen_ai.usage.prompt_tokens", "input_tokens", _count),
    Name("gen_ai.usage.output_tokens", "output_tokens", _count),
    Name("gen_ai.usage.completion_tokens", "output_tokens", _count),
    Name("gen_ai.tool.call.arguments", "arguments", _json),
    Name("gen_ai.tool.call.result", "content", _json),
    Name("gen_ai.output.messages", "content", _json),
    Name("gen_ai.input.messages", "content", _json),
    Name("mcp.resource.uri", "resource", _text),
    Name("gen_ai.data_source.id", "resource", _text),
    Name("error.type", "outcome", lambda value: None if value is None else "error"),
)

# Kept as labels under their own names: what no field holds, and rules like to match on.
LABELS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "gen_ai.workflow.name",
    "gen_ai.tool.type",
    "gen_ai.tool.call.id",
    "gen_ai.response.id",
    "mcp.method.name",
    "mcp.protocol.version",
    "error.type",
)
RENAMED_LABELS = {"gen_ai.system": "gen_ai.provider.name"}

# the server of a tool where the span is MCP's; elsewhere it is the model's
SERVER = "server.address"
OPERATION, METHOD = "gen_ai.operation.name", "mcp.method.name"
OPERATIONS = {
    "chat": "chat:model",
    "generate_content": "chat:model",
    "text_completion": "chat:model",
    "embeddings": "embed:model",
    "retrieval": "read:data_source",
    "execute_tool": "call:tool",
    "invoke_agent": "delegate:agent",
    "invoke_workflow": "delegate:workflow",
    "create_agent": "create:agent",
    "plan": "plan:agent",
}
METHODS = {
    "tools/call": "call:tool",
    "tools/list": "list:tools",
    "resources/read": "read:resource",
    "resources/list": "list:resources",
    "prompts/get": "read:prompt",
    "sampling/createMessage": "chat:model",
}


def from_attributes(attributes: Attributes) -> dict[str, Any]:
    """The fields of an ActionEvent that a span's or log record's attributes tell: a partial record.

    What is not of its type is passed over, as producers of these young conventions differ. An unknown
    operation becomes `<operation>:unknown`. Not told by attributes, and so never here: `event_id`, `tenant`,
    `occurred_at`, `trace_id`, `span_id` and `phase`.
    """
    record: dict[str, Any] = {}
    if METHOD in attributes and (server := _text(attributes.get(SERVER))) is not None:
        record["tool_server"] = server
    for name in NAMES:
        value = name.read(attributes.get(name.attribute))
        if name.field not in record and value is not None:
            record[name.field] = value
    action = _action(attributes)
    if action is not None:
        record["action"] = action
    labels = _labels(attributes)
    if labels:
        record["labels"] = labels
    return record


def _action(attributes: Attributes) -> str | None:
    method, operation = _text(attributes.get(METHOD)), _text(attributes.get(OPERATION))
    if method in METHODS:
        return METHODS[method]
    if operation is not None:
        return OPERATIONS.get(operation, f"{operation}:unknown")
    return None if method is None else f"{method}:unknown"


def _labels(attributes: Attributes) -> dict[str, str]:
    found = {
        new: str(attributes[old]) for old, new in RENAMED_LABELS.items() if attributes.get(old) is not None
    }
    return found | {name: str(attributes[name]) for name in LABELS if attributes.get(name) is not None}
