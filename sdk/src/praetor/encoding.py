"""The bytes of an event: Avro in Confluent's framing, and the key it travels under.

`action_event.avsc` is a byte-identical copy of the server's schema of the same id. The event's number is
known last, under a lock; so a record is encoded in two parts, around its `producer_seq`.
"""

from __future__ import annotations

import io
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import fastavro

from praetor.quick import UNFIT, USUAL, writers, zigzag

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_ID = 102
PREFIX = b"\x00" + SCHEMA_ID.to_bytes(4, "big")
LARGEST = 1 << 20
BEYOND = 1 << 63
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _read_schema() -> Any:
    return json.loads(files("praetor").joinpath("action_event.avsc").read_text(encoding="utf-8"))


def _plain(definition: Any) -> Any:
    """The schema without logical types: times are integers, UUIDs strings."""
    if isinstance(definition, dict):
        return {k: _plain(v) for k, v in definition.items() if k != "logicalType"}
    if isinstance(definition, list):
        return [_plain(v) for v in definition]
    return definition


def _part(name: str, fields: list[Any]) -> Any:
    return fastavro.parse_schema({"type": "record", "name": name, "namespace": "praetor", "fields": fields})


FIELDS = _plain(_read_schema())["fields"]
NAMES = frozenset(f["name"] for f in FIELDS)
SYMBOLS = {f["name"]: f["type"]["symbols"] for f in FIELDS if f["name"] in ("phase", "mode")}
_SPLIT = [f["name"] for f in FIELDS].index("producer_seq")
_quick_head, _quick_tail = writers(FIELDS, PREFIX)
_HEAD, _TAIL = _part("Head", FIELDS[:_SPLIT]), _part("Tail", FIELDS[_SPLIT + 1 :])


def encode(record: Mapping[str, Any]) -> tuple[bytes, bytes]:
    r"""The framed bytes before and after `producer_seq`; absent fields take the schema's defaults.

    Text that is no valid Unicode (unpaired surrogates) is written with those escaped as `\udXXX`.

    Raises:
        ValueError, TypeError: a value does not fit its field.
    """
    if record.keys() <= USUAL and 0 <= record["occurred_at"] < BEYOND:
        try:
            return _quick_head(record), _quick_tail(record)
        except UNFIT:
            pass  # said better, or mended, below
    try:
        return PREFIX + _write(_HEAD, record), _write(_TAIL, record)
    except UnicodeEncodeError:
        clean = {name: _clean(value) for name, value in record.items()}
        return PREFIX + _write(_HEAD, clean), _write(_TAIL, clean)
    except OverflowError as error:
        raise ValueError(f"an integer beyond 64 bits: {error}") from error


def join(head: bytes, seq: int, tail: bytes) -> bytes:
    """A whole value."""
    return head + zigzag(seq) + tail


def agent_key(tenant: str, agent_id: str) -> bytes:
    """The key of an agent's records: tenant/agent, each escaped, UTF-8."""
    text: str = _clean(f"{_escape(tenant)}/{_escape(agent_id)}")
    return text.encode()


def _escape(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F").replace("\x00", "%00")


def _write(schema: Any, record: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    written: bytes = out.getvalue()
    return written


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    return value
