"""The examples of Agent Threat Rules as cases of ours."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_EVENTS: Mapping[str, tuple[str, str]] = {
    "tool_response": ("result", "content"),
    "agent_output": ("result", "content"),
    "tool_description": ("definition", "content"),
    "tool_args": ("call", "arguments"),
    "user_input": ("prompt", "content"),
    "content": ("result", "content"),
}


def read_cases(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Their examples: the text of a field that the rule asks for, or else `input`, as its first one."""
    conditions = value["detection"]["conditions"]
    asked = [c["field"] for c in conditions if c.get("field") in _EVENTS] or ["content"]
    tests = value.get("test_cases") or {}
    for kind, expect in (("true_positives", "found"), ("true_negatives", "nothing")):
        for i, test in enumerate(tests.get(kind) or ()):
            action = _action(test, asked)
            if action is not None:
                yield {"name": f"{kind.replace('_', ' ')} {i + 1}", "expect": expect, "action": action}


def _action(test: Any, asked: Sequence[str]) -> dict[str, Any] | None:
    if not isinstance(test, dict):
        return None
    field = next((f for f in (*asked, "input", *_EVENTS) if isinstance(test.get(f), str)), None)
    if field is None:
        return None
    text = str(test[field])
    phase, name = _EVENTS[asked[0] if field == "input" else field]
    if name == "arguments":
        text = _as_json(text)
    action = {"action": "chat:model" if phase == "prompt" else "call:tool", "phase": phase, name: text}
    if isinstance(test.get("tool_name"), str):
        action["tool"] = test["tool_name"]
    return action


def _as_json(text: str) -> str:
    """Arguments are a JSON object here; theirs may be any text."""
    try:
        told = json.loads(text)
    except ValueError:
        told = text
    return text if isinstance(told, dict) else json.dumps({"input": told}, ensure_ascii=False)
