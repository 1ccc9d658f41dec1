"""Signed orders on agent.control: how they are made, and how they are believed.

The signature is Ed25519 over `praetor-control-v1`, a newline, and the record's Avro bytes before it.
Keys are written as C2SP note keys (ledger.keys). An order names the log it is for, so that one log's orders
are none for another.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from ledger.keys import SigningKey, VerifyKey
from runtime.errors import Malformed
from schemas.catalogue import Schema, newest
from schemas.codec import decode, encode, encode_body

DOMAIN = b"praetor-control-v1\n"


@dataclass(frozen=True, slots=True)
class Order:
    """A believed order.

    Its `kind` is one that `ControlView` knows, or one that a newer version gave: the view says so. The
    record that carries it (control_record v1) never changes: what cannot be read cannot be believed, and
    would have to be passed over.

    `payload` is JSON for `log` ({"log_id", "partitions"}), `skip` ({"partition", "from", "to", "reason"}) and
    what `standing_orders` reads; `bundle_orders` says what it is for `bundle` and `bundle_part`. `issued_at`
    is the author's clock, milliseconds: evidence only. `author` is what the author says; `signed_by` the name
    of the key that signed it, where it was read from a record.
    """

    log_id: str
    kind: str
    author: str
    issued_at: int
    payload: bytes
    signed_by: str = field(default="", compare=False)

    def json(self) -> dict[str, Any]:
        """The payload as a JSON object.

        Raises:
            Malformed: it is none.
        """
        try:
            value = json.loads(self.payload)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"the payload of a {self.kind} order is no JSON: {error}") from error
        if not isinstance(value, dict):
            raise Malformed(f"the payload of a {self.kind} order is no JSON object")
        return value

    def digest(self) -> bytes:
        """Names this order: 32 bytes, the same however its record is encoded."""
        head = json.dumps([self.log_id, self.kind, self.author, self.issued_at])
        return sha256(head.encode() + b"\n" + self.payload).digest()


@cache
def _unsigned() -> Schema:
    definition = newest("control_record").definition
    return Schema(0, "unsigned", "", {**definition, "fields": definition["fields"][:-1]})


def _key_id(key: VerifyKey) -> str:
    return f"{key.name}+{key.hash.hex()}"


def sign_order(order: Order, key: SigningKey) -> bytes:
    """The framed record of an order."""
    record: dict[str, Any] = {
        "log_id": order.log_id,
        "kind": order.kind,
        "author": order.author,
        "issued_at": order.issued_at,
        "payload": order.payload,
        "key_id": _key_id(key.verify_key),
    }
    record["signature"] = key.sign(DOMAIN + encode_body(_unsigned(), record))
    return encode("control_record", record)


def open_order(value: bytes | None, keys: Sequence[VerifyKey]) -> Order:
    """Read a record and believe it, if one of the keys signed it.

    Raises:
        Malformed: it does not decode, or no known key signed it.
    """
    record = decode(value, "control_record")
    signed = DOMAIN + encode_body(_unsigned(), record)
    signers = [k for k in keys if _key_id(k) == record["key_id"]]
    if not signers:
        raise Malformed(f"signed with {record['key_id'][:128]!r}, which is none of the trusted control keys")
    if not any(k.verifies(signed, record["signature"]) for k in signers):
        raise Malformed(f"the signature of {record['key_id']} does not fit the record")
    said = {name: record[name] for name in ("log_id", "kind", "author", "issued_at", "payload")}
    return Order(**said, signed_by=signers[0].name)
