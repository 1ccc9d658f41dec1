"""The formats of records, leaves, trees and notes, written anew from their specifications.

Nothing of Praetor's code is used, so that what an attacker builds here and what the verifier expects agree
only if both follow the same specification. Records: the .avsc files and Confluent's wire format. Trees: RFC
6962. Notes: C2SP signed-note and tlog-checkpoint. Digests and leaves: docs/adr/0001, the schemas' own words.
"""

import base64
import copy
import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

AVSC = Path(__file__).parents[2] / "schemas" / "avro"
TEXTS = ("arguments", "content", "modified_arguments")
UNDER_NO_LEAF = (*TEXTS, "salt", "leaf")
FILES = {
    201: ("action_event.v1", "verdict.v1"),
    202: ("action_event.v2", "verdict.v1"),
    501: ("checkpoint.v1",),
}
Row = dict[str, Any]


@cache
def fields_of(schema_id: int) -> list[Row]:
    """A decision's fields are its action's, then its verdict's."""
    found = [json.loads((AVSC / f"{name}.avsc").read_text())["fields"] for name in FILES[schema_id]]
    return [field for of in found for field in of]


@cache
def avro(schema_id: int, without: tuple[str, ...] = ()) -> Any:
    fields = [f for f in copy.deepcopy(fields_of(schema_id)) if f["name"] not in without]
    return fastavro.parse_schema(_plain({"type": "record", "name": "R", "fields": fields}))


def _plain(of: Any) -> Any:
    if isinstance(of, dict):
        return {k: _plain(v) for k, v in of.items() if k != "logicalType"}
    return [_plain(v) for v in of] if isinstance(of, list) else of


def id_of(value: bytes) -> int:
    return int.from_bytes(value[1:5], "big")


def read(value: bytes) -> Row:
    row = fastavro.schemaless_reader(io.BytesIO(value[5:]), avro(id_of(value)), None)
    assert isinstance(row, dict)
    return row


def write(row: Row, schema_id: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, avro(schema_id), row)
    return b"\x00" + schema_id.to_bytes(4, "big") + out.getvalue()


def leaf(row: Row, schema_id: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, avro(schema_id, UNDER_NO_LEAF), row)
    return hashlib.sha256(b"\x00" + out.getvalue()).digest()


def digest(salt: bytes | None, name: str, text: str) -> bytes:
    salt = salt or b""
    of = len(salt).to_bytes(8, "big") + salt + name.encode() + b"\x00" + text.encode()
    return hashlib.sha256(of).digest()


def rewritten(value: bytes, **fields: Any) -> bytes:
    """A decision with other fields, and everything recomputed that whoever has no key can recompute."""
    row = read(value) | fields
    for name in TEXTS:
        if name in fields:
            row[f"{name}_digest"] = None if row[name] is None else digest(row["salt"], name, row[name])
    row["leaf"] = leaf(row, id_of(value))
    return write(row, id_of(value))


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


class Key:
    """An Ed25519 key with a name; its signature lines bear its own id, or the one that is `claimed`."""

    def __init__(self, name: str, seed: bytes, claimed: bytes | None = None) -> None:
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.private.public_key().public_bytes_raw()
        own = hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]
        self.id = own if claimed is None else claimed

    def line(self, text: str) -> str:
        raw = self.id + self.private.sign(text.encode())
        return f"\u2014 {self.name} {base64.b64encode(raw).decode()}\n"


def note(origin: str, leaves: list[bytes], key: Key) -> str:
    text = f"{origin}\n{len(leaves)}\n{base64.b64encode(root(leaves)).decode()}\n"
    return f"{text}\n{key.line(text)}"


def checkpoint(like: bytes, leaves: list[bytes], key: Key) -> bytes:
    """The record of a checkpoint over these leaves; log and time are those of another record."""
    row = read(like)
    signed = note(f"{row['log_id']}/{row['partition']}", leaves, key)
    return write(row | {"size": len(leaves), "root": root(leaves), "note": signed}, 501)
