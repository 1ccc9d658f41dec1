"""Reads recorded decisions for judging again: the action lazily, of the verdict only what is asked for. Pure.

Avro needs no separators: bytes that begin with the whole encoding of a verdict hold that very verdict. So a
verdict like an earlier one is known by comparing bytes, and only a new one is walked through.
"""

from functools import cache
from typing import NamedTuple

from runtime.errors import Malformed
from schemas.action import ACTION_IDS, Action, leading_action, read_action
from schemas.catalogue import DECISIONS, IDS, schema
from schemas.codec import encode_body
from schemas.lazy import Odd, long_at
from schemas.varint import zigzag
from schemas.verdict import Effect

KEY_BYTES = 24
MOST_ALIKE = 4
MEMO_LIMIT = 8_192
MISROUTED = ("praetor", "misrouted")


class Made(NamedTuple):
    """What a decision says of how it was made; one object for many like ones.

    Attributes:
        verdict: the verdict's own bytes (`judgement.decision.verdict_bytes`).
        effect: what was decided.
        deciding: policy and rule of the first reason; empty where there is none.
        modified: whether the verdict holds modified arguments.
        bundle: the digest of the rules.
        control_offset: under which control offset.
        engine: by which version of the judging code.
    """

    verdict: bytes
    effect: Effect
    deciding: tuple[str, str]
    modified: bool
    bundle: str
    control_offset: int
    engine: str

    @property
    def misrouted(self) -> bool:
        """Whether the action came under a wrong key: it was denied unseen, and touched nobody's state."""
        return self.deciding == MISROUTED


class Recorded(NamedTuple):
    """A stored action.

    Attributes:
        action: with `received_at` set.
        made: of its decision; None where there is none, as in a file of actions.
        partition: the decision's, -1 where there is none.
        seq: the decision's, or the action's place in its file.
        erased: whether a free text is gone that the decision was made by.
    """

    action: Action
    made: Made | None
    partition: int
    seq: int
    erased: bool = False


class DecisionReader:
    """Reads the decisions of a place, one after the other."""

    def __init__(self) -> None:
        """Begin without anything known."""
        self._known: dict[bytes, list[tuple[bytes, Made, int]]] = {}
        self._held = 0

    def read(self, schema_id: int, body: bytes) -> Recorded:
        """Read a decision's canonical body.

        `schema_id` says how the body is laid out. One that is laid out by a newer schema than the decision
        was written by (its `schema`), as tables hold it, gives the action as it was written.

        Raises:
            Malformed: these are not the bytes of a decision.
        """
        action, at = leading_action(schema_id, body)
        try:
            made, partition, at = self._made(body, at)
            while body[at] > 127:  # the source's offset
                at += 1
            seq, at = long_at(body, at + 1)
            action.received_at, at = moment(body, at)
            # digests of free texts: one that is there without its text tells of erasure
            erased = body[at] != 0 and action.arguments is None
            at += 33 if body[at] else 1
            if body[at : at + 2] == b"\x00\x00":  # what is usual: no other text
                at += 2
            else:
                for there in (action.content is not None, made.modified):
                    erased = erased or (body[at] != 0 and not there)
                    at += 33 if body[at] else 1
            written = schema_id if body.startswith(_written(schema_id), at) else long_at(body, at)[0]
        except (Odd, IndexError, UnicodeDecodeError, ValueError) as error:
            raise Malformed("the bytes are not those of a decision") from error
        if written != schema_id:
            action = as_written(action, written)
        return Recorded(action, made, partition, seq, erased)

    def _made(self, body: bytes, at: int) -> tuple[Made, int, int]:
        key = body[at : at + KEY_BYTES]
        alike = self._known.get(key)
        if alike is not None:
            for encoded, made, partition in alike:
                if body.startswith(encoded, at):
                    return made, partition, at + len(encoded)
        made, partition, end = _walk(body, at)
        if self._held >= MEMO_LIMIT:
            self._known.clear()
            self._held = 0
        entries = self._known.setdefault(key, [])
        if len(entries) < MOST_ALIKE:
            self._held += 1
        else:
            entries.pop()
        entries.insert(0, (body[at:end], made, partition))
        return made, partition, end


@cache
def _written(schema_id: int) -> bytes:
    return zigzag(schema_id)


def moment(body: bytes, at: int) -> tuple[int, int]:
    """A time in milliseconds: of 6 bytes from 1970 to 2039."""
    b0, b1, b2, b3, b4, b5 = body[at : at + 6]
    if b5 > 127 or b0 & b1 & b2 & b3 & b4 < 128:
        return long_at(body, at)
    raw = b0 & 127 | (b1 & 127) << 7 | (b2 & 127) << 14 | (b3 & 127) << 21 | (b4 & 127) << 28 | b5 << 35
    return raw >> 1 ^ -(raw & 1), at + 6


def _walk(body: bytes, at: int) -> tuple[Made, int, int]:
    start = at
    effect = Effect(body[at] >> 1)
    reasons, at = long_at(body, at + 2)
    deciding: tuple[str, str] | tuple[()] = ()
    for number in range(reasons):
        policy, at = text(body, at)
        rule, at = text(body, at)
        _, at = text(body, at + 1)
        deciding = deciding if number else (policy, rule)
    at += 2 if reasons else 1  # the array's end, then the severity
    for _ in ("tags", "errors"):
        at = _texts(body, at)
    modified, at = body[at] != 0, _optional(body, at)
    limits, at = long_at(body, at)
    for _ in range(limits):
        _, at = text(body, at)
        at += 8
    at += 1 if limits else 0
    for _ in ("approval_id", "duplicate_of"):
        at = _optional(body, at)
    verdict = body[start:at]
    bundle, at = text(body, at)
    offset, at = long_at(body, at)
    engine, at = text(body, at)
    _, at = text(body, at)
    partition, at = long_at(body, at)
    return Made(verdict, effect, deciding or ("", ""), modified, bundle, offset, engine), partition, at


def text(body: bytes, at: int) -> tuple[str, int]:
    """A text, and where it ends."""
    length, at = long_at(body, at)
    if length < 0 or at + length > len(body):
        raise Odd
    return body[at : at + length].decode(), at + length


def _texts(body: bytes, at: int) -> int:
    count, at = long_at(body, at)
    for _ in range(count):
        _, at = text(body, at)
    return at + 1 if count else at


def _optional(body: bytes, at: int) -> int:
    return text(body, at + 1)[1] if body[at] else at + 1


def as_written(action: Action, written: int) -> Action:
    """The action of an older schema, whose record a newer schema's reader filled up with defaults."""
    if written not in DECISIONS:
        raise Malformed(f"a decision of schema id {written}, which is not known")
    version = DECISIONS[written][0]
    of = schema(next(i for i in ACTION_IDS if IDS[i][1] == version))
    record = {field["name"]: action.get(field["name"]) for field in of.definition["fields"]}
    return read_action(of.prefix + encode_body(of, record), action.received_at)
