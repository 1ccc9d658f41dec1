"""An action as received: its bytes, the values that judging always needs, the rest when asked for."""

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from runtime.errors import Malformed
from schemas.arguments import parse_arguments
from schemas.catalogue import DECISIONS, IDS, schema
from schemas.codec import PREFIX_BYTES, encode_body, split_frame
from schemas.lazy import Odd, Walker, compile_walker, long_at
from schemas.strict import Reader, read_strictly
from schemas.usage import Used, count_usage

EAGER = (
    "event_id",
    "tenant",
    "agent_id",
    "session_id",
    "action",
    "resource",
    "tool",
    "arguments",
    "content",
    "salt",
)

PHASE, CALL, CALL_END, INPUT_TOKENS, PRODUCER_ID, PRODUCER_SEQ = 5, 7, 10, 18, 22, 24
"""Places of these fields, in every version of ActionEvent (tested): action, resource and tool stand from
`CALL` to before `CALL_END`, output_tokens and cost_usd after input_tokens, producer_epoch before the last.
Between phase and input_tokens stand the texts that tell what is done; labels come before the free text."""

DEED = frozenset(
    {"phase", "mode", "action", "resource", "tool", "tool_server", "parent_event_id", "on_behalf_of"}
    | {"principal", "trace_id", "span_id", "outcome", "model", "labels", "arguments", "content"}
)
"""The fields that `Action.deed` holds (tested)."""

_UNUSED = bytes(10)  # two integers of one byte and a float of eight

PHASES = ("unknown", "prompt", "call", "result", "definition", "approval", "outcome")
"""The phase's symbols, in every version of ActionEvent (tested)."""
_PHASE_OF = tuple(name for name in PHASES for _ in "01")  # by the byte that a symbol's number is written as

_DOUBLE = struct.Struct("<d").unpack_from

ACTION_IDS = tuple(i for i, (name, _) in IDS.items() if name == "action_event")


class Action:
    """One ActionEvent.

    `body` is its canonical Avro without the prefix; `texts_at` is where its free text (arguments, content,
    salt) begins. `received_at` is set by whoever received it: the broker's append time in milliseconds, made
    monotone per partition.
    """

    __slots__ = (
        "_parsed",
        "_starts",
        "_texts",
        "_used",
        "action",
        "agent_id",
        "arguments",
        "body",
        "content",
        "event_id",
        "phase",
        "received_at",
        "resource",
        "salt",
        "schema_id",
        "session_id",
        "tenant",
        "texts_at",
        "tool",
    )

    event_id: str
    tenant: str
    agent_id: str
    session_id: str | None
    action: str
    resource: str
    tool: str | None
    arguments: str | None
    content: str | None
    salt: bytes | None
    phase: str

    def __init__(self, schema_id: int, body: bytes, walk: Walker, texts: int, received_at: int) -> None:
        (
            starts,
            self.event_id,
            self.tenant,
            self.agent_id,
            self.session_id,
            self.action,
            self.resource,
            self.tool,
            self.arguments,
            self.content,
            self.salt,
        ) = walk(body)
        self.schema_id = schema_id
        self.body = body
        self.received_at = received_at
        self._starts = starts
        self._texts = texts
        self._parsed: dict[str, Any] | None = None
        self._used: Used | None = None
        self.phase = _PHASE_OF[body[starts[PHASE]]]
        self.texts_at: int = starts[texts]

    def get(self, name: str) -> Any:
        """The value of any field, read from the bytes now: plain types, an enum as its symbol.

        Raises:
            KeyError: the schema has no such field.
        """
        index, read = _readers(self.schema_id)[name]
        return read(self.body, self._starts[index])

    def parsed(self) -> dict[str, Any]:
        """The arguments, read as JSON when first asked for; none are an empty mapping. Not to be changed.

        Raises:
            Unreadable: they are no JSON object, or can be read in two ways (a key twice).
        """
        if self._parsed is None:
            self._parsed = parse_arguments(self.arguments)
        return self._parsed

    @property
    def agent(self) -> bytes:
        """The bytes of tenant and agent_id as they stand: one value an agent, cheap to look up by."""
        return self.body[self._starts[1] : self._starts[3]]

    def deed(self) -> bytes:
        """What is done, as it stands: the bytes of the fields of `DEED`.

        Like for actions that differ in no more than who did it, when, under what number and for how much.
        """
        body, starts, texts = self.body, self._starts, self._texts
        return body[starts[PHASE] : starts[INPUT_TOKENS]] + body[starts[texts - 1] : starts[texts + 2]]

    def call_bytes(self) -> tuple[bytes, bytes]:
        """The bytes of action, resource and tool as they stand, and those of the arguments."""
        body, starts, texts = self.body, self._starts, self._texts
        return body[starts[CALL] : starts[CALL_END]], body[starts[texts] : starts[texts + 1]]

    def usage(self) -> tuple[int, int, float] | None:
        """Input and output tokens, and the cost in USD, as the producer says; None where all are zero."""
        body, at = self.body, self._starts[INPUT_TOKENS]
        if body.startswith(_UNUSED, at):
            return None
        sent, at = _long(body, at)
        received, at = _long(body, at)
        return sent, received, _DOUBLE(body, at)[0]

    def used(self) -> Used:
        """What it uses, as it is counted: what is no amount (negative, or no number) counts as 0."""
        used = self._used
        if used is None:
            used = self._used = count_usage(self.usage())
        return used

    def numbered(self) -> tuple[bytes, int] | None:
        """The producer's numbering: the bytes of producer_id and producer_epoch as they stand, and the seq.

        None where there is no producer_id: the other two then mean nothing.
        """
        body, starts = self.body, self._starts
        at = starts[PRODUCER_ID]
        if not body[at]:
            return None
        end = starts[PRODUCER_SEQ]
        low, high = body[end], body[end + 1]
        # what most numbers are: one byte, or two
        if low < 128:
            return body[at + 1 : end], low >> 1 ^ -(low & 1)
        if high < 128:
            return body[at + 1 : end], (low & 126 | high << 7) >> 1 ^ -(low & 1)
        return body[at + 1 : end], long_at(body, end)[0]


@cache
def _places(schema_id: int) -> dict[str, tuple[int, Any]]:
    fields = schema(schema_id).spelled["fields"]
    return {f["name"]: (i, f["type"]) for i, f in enumerate(fields)}


Read = Callable[[bytes, int], Any]
"""Reads a value that begins at a place of bytes that were walked: what is wrong in them was seen then."""


@cache
def _readers(schema_id: int) -> dict[str, tuple[int, Read]]:
    return {name: (i, _reader(of, name)) for name, (i, of) in _places(schema_id).items()}


def _reader(of: Any, name: str) -> Read:
    """How a field is read: short ways for what rules ask for again and again."""
    kind = of["type"] if isinstance(of, dict) else of
    if kind == "double":
        return lambda body, at: _DOUBLE(body, at)[0]
    if kind == "long":
        return lambda body, at: _long(body, at)[0]
    if kind == "enum" and len(of["symbols"]) <= 64:
        symbols = of["symbols"]
        return lambda body, at: symbols[body[at] >> 1]
    if kind == "string":
        return _text
    if of == ["null", "string"]:
        return lambda body, at: _text(body, at + 1) if body[at] else None

    def strictly(body: bytes, at: int) -> Any:
        reader = Reader(body)
        reader.at = at
        return reader.read(of, name)

    return strictly


def _long(body: bytes, at: int) -> tuple[int, int]:
    """A varint's value, and where it ends."""
    low = body[at]
    if low < 128:  # what most are
        return low >> 1 ^ -(low & 1), at + 1
    high = body[at + 1]
    if high < 128:
        return (low & 126 | high << 7) >> 1 ^ -(low & 1), at + 2
    return long_at(body, at)


def _text(body: bytes, at: int) -> str:
    length, begin = _long(body, at)
    return body[begin : begin + length].decode()


@cache
def _walkers() -> dict[bytes, tuple[int, Walker, int]]:
    """By a record's first bytes: the schema id, its walker, and which field begins the free text."""
    return {
        schema(i).prefix: (i, compile_walker(schema(i).spelled, EAGER), _places(i)["arguments"][0])
        for i in ACTION_IDS
    }


def read_action(value: bytes | None, received_at: int) -> Action:
    """Read a framed ActionEvent; one whose encoding is unusual is taken in its canonical form.

    Raises:
        Malformed: it does not decode, with the reason.
    """
    known = None if value is None else _walkers().get(value[:PREFIX_BYTES])
    if value is None or known is None:
        schema_id, _ = split_frame(value)
        raise Malformed(f"schema id {schema_id} is no ActionEvent; known are {list(ACTION_IDS)}")
    schema_id, walk, texts = known
    body = value[PREFIX_BYTES:]
    try:
        return Action(schema_id, body, walk, texts, received_at)
    except (Odd, IndexError, UnicodeDecodeError):
        of = schema(schema_id)
        canonical = encode_body(of, read_strictly(of.spelled, body))
        return Action(schema_id, canonical, walk, texts, received_at)


@cache
def _leading() -> dict[int, tuple[int, Walker, int]]:
    """By a decision's schema id: as `_walkers`, for the action that it begins with."""
    known: dict[int, tuple[int, Walker, int]] = {}
    for decision, (version, _) in DECISIONS.items():
        i = next(i for i in ACTION_IDS if IDS[i][1] == version)
        walk = compile_walker(schema(i).spelled, EAGER, whole=False)
        known[decision] = (i, walk, _places(i)["arguments"][0])
    return known


def leading_action(decision_id: int, body: bytes) -> tuple[Action, int]:
    """The action that a decision's body begins with, and where the verdict begins; `received_at` is 0.

    Raises:
        Malformed: no decision's schema id, or not a decision's canonical bytes.
    """
    if decision_id not in _leading():
        raise Malformed(f"schema id {decision_id} is no decision; known are {list(DECISIONS)}")
    schema_id, walk, texts = _leading()[decision_id]
    try:
        action = Action(schema_id, body, walk, texts, 0)
    except (Odd, IndexError, UnicodeDecodeError) as error:
        raise Malformed("the bytes are not those of a decision") from error
    end: int = action._starts[-1]
    action.body = body[:end]
    return action, end
