"""What rules of `logsource: product: ai_agent` may ask of an action: one explicit table.

A field has any number of values; a comparison is true if it is true of one of them. What is absent has none.
A value is a text, a number, a bool or null. Its *text* is itself, a number's is what Python's `str` writes (a
whole number without a point), a bool's is `true` or `false`; null has none. Its *number* is itself, or that
of a text which is written as JSON writes numbers (at most 40 characters); others have none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from schemas.action import Action

PRODUCT = "ai_agent"
"""The `product:` of the `logsource:` of every rule on actions."""

Scalar = str | int | float | bool | None
Kind = Literal["text", "number", "time", "any"]


class Field(NamedTuple):
    """One row of the table.

    Attributes:
        name: what rules call it; `<…>` stands for a name that the rule chooses.
        kind: what its values are: texts, numbers, times (microseconds since 1970), or anything.
        nullable: whether it may be absent.
        doc: what it is.
    """

    name: str
    kind: Kind
    nullable: bool
    doc: str


FIELDS = (
    Field("event_id", "text", False, "The producer's id of this event: a UUID in lower case."),
    Field("tenant", "text", False, "Who the agent works for."),
    Field("agent_id", "text", False, "The agent."),
    Field("session_id", "text", True, "The run or conversation."),
    Field("occurred_at", "time", False, "When it happened, as the producer claims: evidence, never a clock."),
    Field("received_at", "time", False, "When the broker received it."),
    Field("phase", "text", False, "prompt, call, result, definition, approval or outcome; or unknown."),
    Field("mode", "text", False, "enforce where a gate waits for the verdict, else observe; or unknown."),
    Field("action", "text", False, "verb:object, such as read:file, exec:shell, call:tool."),
    Field("resource", "text", False, "What it is done to: a path, a URL, a table; empty where nothing is."),
    Field("tool", "text", True, "The tool's name."),
    Field("tool_server", "text", True, "The server that offers the tool (an MCP server)."),
    Field("parent_event_id", "text", True, "The event that led to this one; a result's is its call."),
    Field("on_behalf_of", "text", True, "The agent or person that delegated."),
    Field("principal", "text", True, "Who authenticated as the sender."),
    Field("trace_id", "text", True, "W3C trace id, 32 hex digits."),
    Field("span_id", "text", True, "W3C span id, 16 hex digits."),
    Field("outcome", "text", True, "What came of it: ok, error, or the tool's own word."),
    Field("model", "text", True, "The model."),
    Field("input_tokens", "number", False, "Tokens that the model read."),
    Field("output_tokens", "number", False, "Tokens that the model wrote."),
    Field("cost_usd", "number", False, "US dollars."),
    Field("size_bytes", "number", False, "Bytes that the action moves or writes."),
    Field("producer_id", "text", True, "The producer that numbers its events."),
    Field("producer_epoch", "number", False, "The producer's epoch: one more at each start."),
    Field("producer_seq", "number", False, "Contiguous per producer, epoch and agent."),
    Field("enforced_effect", "text", True, "The effect that a gate already applied."),
    Field("enforced_by", "text", True, "The gate that applied it."),
    Field("decision_ref", "text", True, "The gate's decision that was applied."),
    Field("deadline", "time", True, "Until when a gate waits for the verdict."),
    Field(
        "content_sha256", "text", True, "Salted digest of the whole content where it was cut: 64 hex digits."
    ),
    Field("content_bytes", "number", True, "Bytes of the content before it was cut."),
    Field("content_ref", "text", True, "Where the whole content is kept."),
    Field("arguments_sha256", "text", True, "Salted digest of the whole arguments where they were cut."),
    Field("arguments_bytes", "number", True, "Bytes of the arguments before they were cut."),
    Field("labels.<name>", "text", True, "The label of that name."),
    Field("arguments", "text", True, "The call's arguments: JSON as it was sent, escapes and all."),
    Field("args", "any", True, "Every value in the parsed arguments, at any depth."),
    Field("args.<path>", "any", True, "The value at a path of keys; of a list, each element's."),
    Field("content", "text", True, "Prompt text, or what the call returned, or a tool's description."),
    Field("keywords", "any", False, "What a value without a field searches: the texts of an action."),
)
"""In the order of the schema; a test compares them with its newest version."""

BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
KEYWORDS = "keywords"
KEYWORD_FIELDS = (
    "action",
    "resource",
    "tool",
    "tool_server",
    "on_behalf_of",
    "outcome",
    "model",
    "arguments",
    "content",
)
"""What `keywords` holds, beside each value of `args` and each label's; not who sent it, nor ids."""

NOTHING: tuple[Scalar, ...] = ()


class _Holder:
    """Stands for a mapping or an empty list at a path: it is there, and equals no text and no number."""


HOLDER: Any = _Holder()

_LABEL = re.compile(r"labels\.(.+)\Z", re.S)
_PATH = re.compile(r"args\.[^.]+(\.[^.]+)*\Z", re.S)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.A)
LONGEST_NUMBER = 40


def find_field(name: str) -> Field | None:
    """The row that a name in a rule belongs to; None if there is no such field."""
    if name in BY_NAME:
        return None if "<" in name else BY_NAME[name]
    if _LABEL.match(name):
        return BY_NAME["labels.<name>"]
    return BY_NAME["args.<path>"] if _PATH.match(name) else None


Reader = Callable[[Action], tuple[Scalar, ...]]
"""Reads a field's values. Raises `schemas.arguments.Unreadable` where the arguments cannot be parsed."""


def make_reader(name: str) -> Reader:
    """What reads a field of any action.

    Raises:
        KeyError: there is no such field.
    """
    if name in _READERS:
        return _READERS[name]
    field = find_field(name)
    if field is None:
        raise KeyError(name)
    if name.startswith("labels."):
        label = name.removeprefix("labels.")
        return lambda action: _labelled(action, label)
    if name.startswith("args."):
        path = tuple(name.split(".")[1:])
        return lambda action: tuple(_at(action.parsed(), path))
    return lambda action: _plain(action, name)


def _plain(action: Action, name: str) -> tuple[Scalar, ...]:
    try:
        value = action.get(name)
    except KeyError:  # an older version of the schema, which has no such field
        return NOTHING
    if value is None:
        return NOTHING
    return (value.hex(),) if isinstance(value, bytes) else (value,)


def _labelled(action: Action, label: str) -> tuple[Scalar, ...]:
    labels = action.get("labels")
    return (labels[label],) if label in labels else NOTHING


def _at(value: Any, path: tuple[str, ...]) -> list[Scalar]:
    """The values at a path; lists on the way and at its end stand for each of their elements."""
    level = [value]
    for key in path:
        level = [v[key] for v in _spread(level) if isinstance(v, dict) and key in v]
    return [HOLDER if isinstance(v, dict | list) else v for v in _spread(level)]


def _spread(values: list[Any]) -> list[Any]:
    """Lists replaced by their elements, lists within them too; an empty list stays as it is."""
    found, left = [], values[::-1]
    while left:
        value = left.pop()
        if isinstance(value, list) and value:
            left += value[::-1]
        else:
            found.append(value)
    return found


def leaves(value: Any) -> list[Scalar]:
    """Every scalar in a JSON value, at any depth."""
    found, left = [], [value]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += reversed(value.values())
        elif isinstance(value, list):
            left += reversed(value)
        else:
            found.append(value)
    return found


def keyword_texts(action: Action) -> tuple[Scalar, ...]:
    """What `keywords` holds, but for what is in the arguments when they are parsed."""
    values: list[Scalar] = []
    for name in KEYWORD_FIELDS:
        values += make_reader(name)(action)
    values += action.get("labels").values()
    return tuple(values)


_READERS: dict[str, Reader] = {
    "tenant": lambda action: (action.tenant,),
    "agent_id": lambda action: (action.agent_id,),
    "session_id": lambda action: NOTHING if action.session_id is None else (action.session_id,),
    "received_at": lambda action: (action.received_at * 1000,),
    "phase": lambda action: (action.phase,),
    "action": lambda action: (action.action,),
    "resource": lambda action: (action.resource,),
    "tool": lambda action: NOTHING if action.tool is None else (action.tool,),
    "arguments": lambda action: NOTHING if action.arguments is None else (action.arguments,),
    "content": lambda action: NOTHING if action.content is None else (action.content,),
    "args": lambda action: tuple(leaves(action.parsed())),
    KEYWORDS: lambda action: (*keyword_texts(action), *leaves(action.parsed())),
}


def text_of(value: Scalar) -> str | None:
    """A value's text; null has none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def number_of(value: Scalar) -> int | float | None:
    """A value's number: its own, or that of a text that is written as JSON writes one; others have none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return float(value)
    return None
