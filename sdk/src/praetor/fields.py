"""What may be said by keyword, for type checkers: the rest of an event, and a client's settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from praetor.options import Redact
from praetor.security import Security


class Fields(TypedDict, total=False):
    """An event's other fields; what each means stands in the schema."""

    event_id: str
    agent_id: str
    session_id: str | None
    occurred_at: int
    mode: str
    tool: str | None
    tool_server: str | None
    on_behalf_of: str | None
    principal: str | None
    trace_id: str | None
    span_id: str | None
    outcome: str | None
    model: str | None
    input_tokens: int
    output_tokens: int
    cost_usd: float
    size_bytes: int
    enforced_effect: str | None
    enforced_by: str | None
    decision_ref: str | None
    deadline: int | None
    content_ref: str | None
    labels: Mapping[str, str]


class Settings(TypedDict, total=False):
    """A client's settings: see `praetor.options.Options`."""

    producer_id: str | None
    session_id: str | None
    labels: Mapping[str, str]
    mode: str
    state_dir: str | Path | None
    spool: str | Path | None
    max_events: int
    max_bytes: int
    on_full: str
    full_timeout: float
    exit_timeout: float
    linger: float
    content_limit: int
    arguments_limit: int
    redact: Redact
    topic: str
    security: Security | None
    request_timeout: float
    kafka: Mapping[str, Any]
