"""Recorded traces: one tool call a line, as events of ActionEvent."""

import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cli.recordings import NAMESPACE, SALT_BYTES, Record
from runtime.errors import Malformed
from schemas.model import explain

STEP_MICROS = 1_000_000
RESOURCE_CHARS = 512

# what a call is done to: the first of these arguments that it has; destinations before sources
RESOURCE_ARGUMENTS = (
    *("url", "recipient", "recipients", "to", "email", "channel", "path", "file_path", "filename", "file"),
    *("file_id", "save_dir", "table", "host", "order_id", "reservation_id", "event_id", "product_id"),
    *("product_ids", "user_id", "user", "username", "hotel", "hotel_name", "hotel_names", "restaurant"),
    *("restaurant_name", "restaurant_names", "company_name", "query", "city", "id"),
)


class TraceLine(BaseModel):
    """One tool call of a recorded trace."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trace_id: str = Field(min_length=1)
    suite: str
    user_prompt: str
    step: int = Field(ge=0, lt=1 << 31)
    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    result: Any = None
    error: str | None = None


@dataclass
class _Place:
    """Where the reader is: the open trace, and its last step."""

    trace_id: str = ""
    step: int = -1


class TraceReader:
    """Lines of recorded traces: a prompt event a trace, a call and a result event a line.

    A trace is one agent (`<suite>-<trace_id>`, tenant `<suite>`) and one session (`<trace_id>`). Event ids
    follow from trace, step and phase, so that a second replay adds none. `occurred_at` is the start of the
    replay plus a second a step; prompt, call and result of one step are a microsecond apart. Salts are
    random.
    """

    def __init__(self, started_micros: int) -> None:
        self._started = started_micros
        self._seen: set[str] = set()
        self._at = _Place()

    def read(self, number: int, line: bytes) -> list[Record]:
        """The line's records: call and result, before them the prompt where a trace begins.

        Raises:
            Malformed: every mistake of the line; or lines of one trace do not stand together in order.
        """
        try:
            call = TraceLine.model_validate_json(line)
        except ValidationError as error:
            raise Malformed(explain(error)) from error
        begins = self._advance(call)
        events = [self._call(call), self._result(call)]
        return [self._prompt(call), *events] if begins else events

    def _advance(self, call: TraceLine) -> bool:
        begins = call.trace_id != self._at.trace_id
        if begins and call.trace_id in self._seen:
            raise Malformed(
                f"trace {call.trace_id} goes on after another began: its lines must stand together"
            )
        if not begins and call.step <= self._at.step:
            raise Malformed(f"step {call.step} of trace {call.trace_id} comes after step {self._at.step}")
        self._seen.add(call.trace_id)
        self._at = _Place(call.trace_id, call.step)
        return begins

    def _event(self, line: TraceLine, phase: str, micro: int) -> Record:
        return {
            "event_id": event_id(line, phase),
            "tenant": line.suite,
            "agent_id": f"{line.suite}-{line.trace_id}",
            "session_id": line.trace_id,
            "occurred_at": self._started + line.step * STEP_MICROS + micro,
            "phase": phase,
            "mode": "observe",
            "labels": {"step": str(line.step)},
            "salt": secrets.token_bytes(SALT_BYTES),
        }

    def _prompt(self, line: TraceLine) -> Record:
        return {**self._event(line, "prompt", 0), "action": "chat:model", "content": line.user_prompt}

    def _call(self, line: TraceLine) -> Record:
        return {**self._event(line, "call", 1), **_target(line), "arguments": _json(line.args)}

    def _result(self, line: TraceLine) -> Record:
        returned = line.result if isinstance(line.result, str | None) else _json(line.result)
        return {
            **self._event(line, "result", 2),
            **_target(line),
            "parent_event_id": event_id(line, "call"),
            "outcome": "ok" if line.error is None else "error",
            "content": "\n".join(text for text in (returned, line.error) if text) or returned,
        }


def event_id(line: TraceLine, phase: str) -> str:
    """The id of a trace's event: the same at each replay."""
    return str(uuid.uuid5(NAMESPACE, f"{line.trace_id}/{line.step}/{phase}"))


def resource_of(args: dict[str, Any]) -> str:
    """What a call is done to, from its arguments: empty where none of the known names is there."""
    for name in RESOURCE_ARGUMENTS:
        value = args.get(name)
        if isinstance(value, str | int) and value != "":
            return str(value)[:RESOURCE_CHARS]
        if isinstance(value, list) and value:
            return ",".join(str(item) for item in value)[:RESOURCE_CHARS]
    return ""


def _target(line: TraceLine) -> Record:
    return {"action": "call:tool", "tool": line.tool, "resource": resource_of(line.args)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
