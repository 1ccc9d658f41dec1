"""An ActionEvent as people and programs write it: JSON in, the Avro record out.

The fields are those of the newest `action_event` schema, in its order (a test compares them). What JSON has
no type for is written so: times as ISO 8601 with an offset, or as integer microseconds since 1970; digests
and `salt` as hexadecimal digits; `arguments` as JSON text, or as the object itself.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from runtime.errors import Malformed
from schemas.catalogue import newest
from schemas.codec import encode_body
from schemas.keys import agent_key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UUID_TEXT = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def micros(value: Any) -> Any:
    """Microseconds since 1970 of ISO 8601 text; anything but text is passed on.

    Raises:
        ValueError: the text is no ISO 8601 time, or says no offset from UTC.
    """
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no ISO 8601 time such as 2026-01-31T09:30:00Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} says no offset from UTC: write {value}Z or {value}+01:00")
    return (moment - EPOCH) // timedelta(microseconds=1)


def _uuid(value: str) -> str:
    lower = value.lower()
    if not UUID_TEXT.fullmatch(lower):
        raise ValueError(f"{value[:64]!r} is no UUID such as 123e4567-e89b-12d3-a456-426614174000")
    return lower


def _unhex(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise ValueError("not hexadecimal digits") from error


def _json_text(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


Long = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Micros = Annotated[Long, BeforeValidator(micros)]
Uuid = Annotated[str, AfterValidator(_uuid)]
Sha256 = Annotated[bytes, Field(min_length=32, max_length=32), BeforeValidator(_unhex)]
Hex = Annotated[bytes, BeforeValidator(_unhex)]
JsonText = Annotated[str, BeforeValidator(_json_text)]


class ActionEvent(BaseModel):
    """One event of an agent. What each field means stands in the Avro schema.

    Immutable; unknown keys are refused; types are not converted ("12" is no number). It is pure: an
    `event_id` is not made up here, nor a time, nor a salt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event_id: Uuid
    tenant: str
    agent_id: str
    session_id: str | None = None
    occurred_at: Micros
    phase: Literal["unknown", "prompt", "call", "result", "definition", "approval", "outcome"] = "unknown"
    mode: Literal["unknown", "observe", "enforce"] = "unknown"
    action: str
    resource: str = ""
    tool: str | None = None
    tool_server: str | None = None
    parent_event_id: Uuid | None = None
    on_behalf_of: str | None = None
    principal: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    outcome: str | None = None
    model: str | None = None
    input_tokens: Long = 0
    output_tokens: Long = 0
    cost_usd: float = Field(0.0, allow_inf_nan=False)
    size_bytes: Long = 0
    producer_id: str | None = None
    producer_epoch: Long = 0
    producer_seq: Long = 0
    enforced_effect: str | None = None
    enforced_by: str | None = None
    decision_ref: str | None = None
    deadline: Micros | None = None
    content_sha256: Sha256 | None = None
    content_bytes: Long | None = None
    content_ref: str | None = None
    arguments_sha256: Sha256 | None = None
    arguments_bytes: Long | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    arguments: JsonText | None = None
    content: str | None = None
    salt: Hex | None = None

    def to_record(self) -> dict[str, Any]:
        """The Avro record, in the schema's order; a copy."""
        return {**self.__dict__, "labels": dict(self.labels)}


ACTION = newest("action_event")


def encode_action(record: dict[str, Any]) -> tuple[bytes, bytes]:
    """The key and the framed value of a record such as `to_record` gives; absent fields take defaults.

    Raises:
        ValueError, TypeError, KeyError: the record does not fit the schema.
    """
    return agent_key(record["tenant"], record["agent_id"]), ACTION.prefix + encode_body(ACTION, record)


def parse_action(line: str | bytes) -> ActionEvent:
    """Read one JSON object.

    Raises:
        Malformed: it is no ActionEvent; all its mistakes in one line, each with the field's name.
    """
    try:
        return ActionEvent.model_validate_json(line)
    except ValidationError as error:
        raise Malformed(explain(error)) from error


def explain(error: ValidationError) -> str:
    """Pydantic's mistakes in one line of plain words."""
    return "; ".join(_explain_all(error.errors(include_url=False, include_context=False)))


def _explain_all(mistakes: Iterable[Any]) -> Iterable[str]:
    for mistake in mistakes:
        place = ".".join(str(part) for part in mistake["loc"])
        match mistake["type"]:
            case "extra_forbidden":
                yield f"unknown key {place!r}"
            case "missing":
                yield f"{place!r} is missing"
            case "json_invalid":
                yield mistake["msg"]
            case _:
                yield f"{place or 'the line'}: {mistake['msg'].removeprefix('Value error, ')}"
