"""What binds a record to its leaf, and a record's erasable texts to the record."""

import hashlib
from collections.abc import Sequence


def leaf_of(parts: Sequence[bytes]) -> bytes:
    """The leaf of a record, given the slices of its bytes that are bound: SHA-256(0x00 ‖ the slices).

    The leaf hash of RFC 6962 over the record without its erasable texts; 32 bytes.
    """
    return hashlib.sha256(b"\x00" + b"".join(parts)).digest()


def text_digest(salt: bytes | None, field: str, text: bytes) -> bytes:
    """The digest that binds a record's erasable text: SHA-256(salt ‖ field name ‖ text), 32 bytes.

    Not promised: without a salt, that a short or guessable text stays unknown once erased (whoever has the
    digest can try texts); and the boundary between salt and text, which only a salt of a fixed length gives.
    """
    return hashlib.sha256((salt or b"") + field.encode() + text).digest()
