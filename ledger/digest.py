"""What binds a record to its leaf, and a record's erasable texts to the record."""

from collections.abc import Sequence
from hashlib import sha256


def leaf_of(parts: Sequence[bytes]) -> bytes:
    """The leaf of a record, given the slices of its bytes that are bound: SHA-256(0x00 ‖ the slices).

    The leaf hash of RFC 6962 over the record without its erasable texts; 32 bytes.
    """
    return sha256(b"\x00" + b"".join(parts)).digest()


def text_digest(salt: bytes | None, field: str, text: bytes) -> bytes:
    """The digest that binds a record's erasable text, 32 bytes.

    SHA-256(length of the salt as 8 bytes, big-endian ‖ salt ‖ field name ‖ 0x00 ‖ text): the lengths make the
    boundaries certain, so that no other salt and text have the same digest (docs/adr/0001).

    Not promised: without a salt, that a short or guessable text stays unknown once erased (whoever has the
    digest can try texts).
    """
    salt = salt or b""
    return sha256(len(salt).to_bytes(8, "big") + salt + field.encode() + b"\x00" + text).digest()
