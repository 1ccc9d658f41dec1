"""The mapping from OpenTelemetry's names."""

from schemas.model import ActionEvent
from schemas.otel import METHODS, NAMES, OPERATIONS, from_attributes

REST = {"event_id": "123e4567-e89b-12d3-a456-426614174000", "tenant": "t", "occurred_at": 0}


def test_every_name_fills_a_field_of_the_event():
    assert {name.field for name in NAMES} <= set(ActionEvent.model_fields)
    assert len({(name.attribute, name.field) for name in NAMES}) == len(NAMES)


def test_an_execute_tool_span():
    record = from_attributes(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.agent.id": "coder-1",
            "gen_ai.agent.name": "Coder",
            "gen_ai.conversation.id": "c1",
            "gen_ai.tool.name": "read_file",
            "gen_ai.tool.call.id": "call_7",
            "gen_ai.tool.call.arguments": {"path": "/etc/hosts"},
            "gen_ai.tool.call.result": "127.0.0.1 localhost",
            "error.type": "timeout",
            "thread.id": 5,
        }
    )
    assert record == {
        "agent_id": "coder-1",
        "session_id": "c1",
        "action": "call:tool",
        "tool": "read_file",
        "arguments": '{"path":"/etc/hosts"}',
        "content": "127.0.0.1 localhost",
        "outcome": "error",
        "labels": {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.agent.name": "Coder",
            "gen_ai.tool.call.id": "call_7",
            "error.type": "timeout",
        },
    }
    ActionEvent(**REST, **record)


def test_a_chat_span_of_an_older_convention():
    record = from_attributes(
        {
            "gen_ai.system": "openai",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m-1",
            "gen_ai.response.model": "m-1-0613",
            "gen_ai.usage.prompt_tokens": 12,
            "gen_ai.usage.completion_tokens": 3,
        }
    )
    assert record == {
        "action": "chat:model",
        "model": "m-1",
        "input_tokens": 12,
        "output_tokens": 3,
        "labels": {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
    }


def test_the_newer_name_wins_over_the_older():
    both = {"gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 2}
    assert from_attributes(both) == {"input_tokens": 2}
    named = from_attributes({"gen_ai.system": "az.ai", "gen_ai.provider.name": "azure"})
    assert named == {"labels": {"gen_ai.provider.name": "azure"}}


def test_mcp_calls_and_unknown_operations():
    call = from_attributes({"mcp.method.name": "tools/call", "server.address": "files.example"})
    assert (call["action"], call["tool_server"]) == ("call:tool", "files.example")
    assert "tool_server" not in from_attributes({"gen_ai.system": "x", "server.address": "model.example"})
    read = from_attributes({"mcp.method.name": "resources/read", "mcp.resource.uri": "file:///a"})
    assert (read["action"], read["resource"]) == ("read:resource", "file:///a")
    assert from_attributes({"gen_ai.operation.name": "dream"})["action"] == "dream:unknown"
    assert from_attributes({"mcp.method.name": "ping"})["action"] == "ping:unknown"
    assert all(action.count(":") == 1 for action in [*OPERATIONS.values(), *METHODS.values()])


def test_what_is_not_of_its_type_is_passed_over():
    odd = {"gen_ai.agent.id": 7, "gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": -1}
    assert from_attributes({**odd, "gen_ai.agent.name": "Coder"}) == {
        "agent_id": "Coder",
        "labels": {"gen_ai.agent.name": "Coder"},
    }
    assert from_attributes({"gen_ai.usage.input_tokens": True}) == {}
    assert from_attributes({}) == {}
