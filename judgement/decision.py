"""Writes decisions: the action's bytes, the verdict's bytes behind them, the leaf at the end.

A decision's leaf is SHA-256(0x00, the record's bytes up to `leaf`, without the fields that hold free text);
each free text is bound by its digest instead, salted (docs/adr/0001), so that it can be erased and
the leaf still be computed (`leaf_of_record`).
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any

from judgement.engine import ENGINE
from ledger.digest import leaf_of, text_digest
from schemas.action import Action
from schemas.catalogue import DECISIONS, IDS, Schema, schema
from schemas.codec import encode_body
from schemas.varint import zigzag
from schemas.verdict import Verdict

TEXTS = ("arguments", "content", "modified_arguments")
UNBOUND = (*TEXTS, "salt", "leaf")
MEMO_LIMIT = 16_384

VERDICT = 1


def _part(fields: list[Any], name: str) -> Schema:
    return Schema(0, name, "", {"type": "record", "name": name, "namespace": "praetor", "fields": fields})


def _text(value: str) -> bytes:
    raw = value.encode()
    return zigzag(len(raw)) + raw


def _digest(action: Action, field: str, text: str | None) -> bytes:
    return b"\x00" if text is None else b"\x02" + text_digest(action.salt, field, text.encode())


class DecisionWriter:
    """Writes the decisions of one partition, one after the other.

    Bytes that many decisions share are made once: a verdict's own fields by the verdict's identity, for all
    partitions; the coordinates that change only with the rules by `under`.
    """

    def __init__(self, log_id: str, partition: int) -> None:
        self._log = _text(ENGINE) + _text(log_id) + zigzag(partition)
        self._constant = b""
        self._received = (-1, b"")

    def under(self, bundle: str, control_offset: int) -> None:
        """Say under which rules and which control offset the next decisions are made."""
        self._constant = _text(bundle) + zigzag(control_offset) + self._log

    def write(self, action: Action, verdict: Verdict, source_offset: int, seq: int) -> tuple[bytes, bytes]:
        """The framed decision, and its leaf.

        Raises:
            ValueError: a verdict whose text is no valid Unicode.
        """
        # a verdict of one action's own would only crowd out those that many share
        whole, bound = _verdict_bytes(verdict) if verdict.is_own() else _head(verdict)
        received_at, received = self._received
        if action.received_at != received_at:
            received_at, received = self._received = action.received_at, zigzag(action.received_at)
        prefix, schema_field = _frame(action.schema_id)
        tail = self._constant + zigzag(source_offset) + zigzag(seq) + received
        if action.content is None and verdict.modified_arguments is None:
            # what is usual: no free text but the arguments
            tail += _digest(action, "arguments", action.arguments) + b"\x00\x00" + schema_field
        else:
            tail += (
                _digest(action, "arguments", action.arguments)
                + _digest(action, "content", action.content)
                + _digest(action, "modified_arguments", verdict.modified_arguments)
                + schema_field
            )
        body = action.body
        leaf = sha256(b"\x00" + body[: action.texts_at] + bound + tail).digest()
        return prefix + body + whole + tail + leaf, leaf


def verdict_bytes(verdict: Verdict) -> bytes:
    """What stands behind the action in a decision's bytes, up to what does not depend on the judgement.

    Raises:
        ValueError: its text is no valid Unicode.
    """
    return (_verdict_bytes(verdict) if verdict.is_own() else _head(verdict))[0]


@lru_cache(MEMO_LIMIT)
def _head(verdict: Verdict) -> tuple[bytes, bytes]:
    """`_verdict_bytes`, made once: one verdict serves many decisions."""
    return _verdict_bytes(verdict)


def _verdict_bytes(verdict: Verdict) -> tuple[bytes, bytes]:
    """A verdict's own fields as bytes, whole and without free text."""
    before, text, after = _verdict_parts()
    value = {name: getattr(verdict, name) for name in Verdict.__slots__}
    value["effect"] = verdict.effect.name
    value["policy_mode"] = verdict.policy_mode.name
    value["severity"] = verdict.severity.name
    value["reasons"] = [{**r._asdict(), "effect": r.effect.name} for r in verdict.reasons]
    first, last = encode_body(before, value), encode_body(after, value)
    return first + encode_body(text, value) + last, first + last


@cache
def _frame(action_schema: int) -> tuple[bytes, bytes]:
    version = IDS[action_schema][1]
    decision = next(i for i, versions in DECISIONS.items() if versions == (version, VERDICT))
    return schema(decision).prefix, zigzag(decision)


@cache
def _verdict_parts() -> tuple[Schema, Schema, Schema]:
    fields = [f for f in schema(max(DECISIONS)).definition["fields"] if f["name"] in Verdict.__slots__]
    at = [f["name"] for f in fields].index("modified_arguments")
    return (
        _part(fields[:at], "Before"),
        _part(fields[at : at + 1], "Text"),
        _part(fields[at + 1 :], "After"),
    )


@cache
def _bound(schema_id: int) -> Schema:
    fields = [f for f in schema(schema_id).definition["fields"] if f["name"] not in UNBOUND]
    return _part(fields, "Bound")


def bound_bytes(record: Mapping[str, Any]) -> bytes:
    """The bytes of a decision that its leaf binds: all but its free text, whether still there or erased.

    Raises:
        KeyError: the record's `schema` is unknown.
        ValueError, TypeError: a field does not fit the schema.
    """
    return encode_body(_bound(record["schema"]), record)


def leaf_of_record(record: Mapping[str, Any]) -> bytes:
    """Compute a decision's leaf anew from its fields (see `bound_bytes`).

    Raises:
        KeyError, ValueError, TypeError: as `bound_bytes`.
    """
    return leaf_of([bound_bytes(record)])
