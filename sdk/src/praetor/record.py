"""From what a caller says to the record of one event."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from praetor.encoding import LARGEST, NAMES, SYMBOLS, UUID, encode
from praetor.texts import Redaction, cut, text_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = {"tenant", "producer_id", "producer_epoch", "producer_seq", "salt"}
GIVEN = NAMES - OWN - {"content_sha256", "content_bytes", "arguments_sha256", "arguments_bytes"}
POOL = 1024
SPARE = 64
"""Bytes kept free below the server's limit on a record."""


class Encoded(NamedTuple):
    """An event without its number."""

    event_id: str
    agent_id: str
    head: bytes
    tail: bytes


class Recording:
    """Builds events of one epoch.

    Args:
        constant: fields that every event has: tenant, agent_id, producer_id, producer_epoch, and defaults.
        redaction: what is taken out.
        limits: bytes of `arguments` and of `content`.
    """

    def __init__(self, constant: Mapping[str, Any], redaction: Redaction, limits: Mapping[str, int]) -> None:
        self._constant = dict(constant)
        self._redaction = redaction
        self._limits = dict(limits)
        self._pool: deque[bytes] = deque()
        self.agent_id: str = self._constant["agent_id"]

    def build(self, fields: dict[str, Any]) -> Encoded:
        """Encode an event; absent fields are the epoch's own, or the schema's defaults.

        Raises:
            ValueError, TypeError: a field is unknown or does not fit, or all is beyond 1 MiB.
        """
        if not fields.keys() <= GIVEN:
            raise TypeError(f"no fields of an event: {', '.join(sorted(fields.keys() - GIVEN))}")
        noise = self._noise()
        record = {**self._constant, **fields, "salt": noise[16:]}
        if "event_id" not in fields:
            record["event_id"] = _uuid(noise[:16].hex())
        if "occurred_at" not in fields:
            record["occurred_at"] = time.time_ns() // 1000
        self._uncommon(record, fields)
        if fields.get("arguments") is not None:
            self._text(record, "arguments", self._redaction.to_json(fields["arguments"]))
        if fields.get("content") is not None:
            self._text(record, "content", self._redaction.to_json(fields["content"]))
        if self._redaction.functions:
            record["resource"] = self._redaction.apply("resource", record.get("resource", ""))
        try:
            head, tail = encode(record)
        except ValueError as error:
            raise _explained(record) or error from error
        if len(head) + len(tail) > LARGEST - SPARE:
            raise ValueError(
                f"an event of {len(head) + len(tail)} bytes is beyond 1 MiB, which the server takes: lower"
                " content_limit or arguments_limit, or shorten its other fields"
            )
        return Encoded(record["event_id"], record["agent_id"], head, tail)

    def _noise(self) -> bytes:
        """32 random bytes, used once: fetched in bulk, as each fetch gives the interpreter's lock away."""
        try:
            return self._pool.pop()
        except IndexError:
            bulk = os.urandom(32 * POOL)
            self._pool.extend(bulk[at : at + 32] for at in range(32, 32 * POOL, 32))
            return bulk[:32]

    def _uncommon(self, record: dict[str, Any], fields: dict[str, Any]) -> None:
        for name in ("event_id", "parent_event_id"):
            if fields.get(name) is not None:
                record[name] = _checked(name, fields[name])
        if "labels" in fields:
            labels = {**self._constant.get("labels", {}), **fields["labels"]}
            record["labels"] = dict(self._redaction.pairs(labels))
        cost = fields.get("cost_usd", 0.0)
        if cost - cost != 0:
            raise ValueError(f"cost_usd is {cost}: a finite number is needed")

    def _text(self, record: dict[str, Any], name: str, text: str) -> None:
        text = self._redaction.apply(name, text)
        found = cut(text, self._limits[name])
        if found is not None:
            text, raw = found
            record[f"{name}_sha256"] = text_digest(record["salt"], name, raw)
            record[f"{name}_bytes"] = len(raw)
        record[name] = text


def _explained(record: Mapping[str, Any]) -> ValueError | None:
    """Which choice is none, and what there is to choose from."""
    for name, symbols in SYMBOLS.items():
        if (given := record.get(name, symbols[0])) not in symbols:
            return ValueError(f"{name} is {str(given)[:64]!r}; it must be one of {', '.join(symbols)}")
    return None


def _uuid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _checked(name: str, value: Any) -> str:
    text = str(value).lower()
    if not UUID.fullmatch(text):
        raise ValueError(f"{name} is {text[:64]!r}: a UUID such as an event id was expected")
    return text
