"""Ed25519 keys as values and as text, in the encoding of Go's golang.org/x/mod/sumdb/note."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import LedgerError, MalformedKey

ED25519 = b"\x01"
"""The signature type byte of C2SP signed notes for Ed25519."""

SEED_SIZE = 32
"""Bytes of an Ed25519 seed, and of a public key."""


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A name and an Ed25519 public key (32 bytes). Its text is `<name>+<8 hex>+<base64(0x01 ‖ public)>`."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public) != SEED_SIZE:
            raise MalformedKey(f"key {self.name}: a public key has {SEED_SIZE} bytes, not {len(self.public)}")

    @property
    def hash(self) -> bytes:
        """The key's id, 4 bytes: SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public)[:4] (C2SP signed-note)."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def to_text(self) -> str:
        """The verifier key's text, as tools that read Go's notes take it (`vkey`)."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @property
    def id(self) -> str:
        """Name and hash, `<name>+<8 hex>`: short, for people."""
        return f"{self.name}+{self.hash.hex()}"

    @classmethod
    def from_text(cls, text: str) -> "VerifyKey":
        """Read a verifier key's text; white space around it is ignored.

        Raises:
            MalformedKey: not this format, another algorithm, or the hash is not that of the key.
        """
        text = text.strip()
        if text.startswith("PRIVATE+KEY+"):
            raise MalformedKey("a private key is given where a public key (<name>+<hash>+<base64>) belongs")
        name, digest, public = _read_parts(text.split("+", 2), "public key", "<name>+<8 hex>+<base64>")
        key = cls(name, public)
        _check_hash(key, digest)
        return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A name and an Ed25519 seed (32 bytes, secret: not in its repr).

    A new key is `SigningKey(name, seed)` with a seed from the system's randomness, which the caller brings.
    Its text is `PRIVATE+KEY+<name>+<8 hex>+<base64(0x01 ‖ seed)>`, where the hash is the public key's.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.seed) != SEED_SIZE:
            raise MalformedKey(f"key {self.name}: a seed has {SEED_SIZE} bytes, not {len(self.seed)}")

    @property
    def verify_key(self) -> VerifyKey:
        """The public half, to be given to everyone."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifyKey(self.name, private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (RFC 8032) over `message`: 64 bytes, the same each time."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)

    def to_text(self) -> str:
        """The signing key's text. Whoever reads it can sign: keep it secret."""
        encoded = base64.b64encode(ED25519 + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verify_key.hash.hex()}+{encoded}"

    @classmethod
    def from_text(cls, text: str) -> "SigningKey":
        """Read a signing key's text; white space around it is ignored. No error repeats the text.

        Raises:
            MalformedKey: not this format, another algorithm, or the hash is not that of the public key.
        """
        prefix, body = text.strip()[:12], text.strip()[12:]
        if prefix != "PRIVATE+KEY+":
            raise MalformedKey("signing key: the text does not begin with PRIVATE+KEY+")
        form = "PRIVATE+KEY+<name>+<8 hex>+<base64>"
        name, digest, seed = _read_parts(body.split("+", 2), "signing key", form)
        key = cls(name, seed)
        _check_hash(key.verify_key, digest)
        return key


class NoteKey(Protocol):
    """What signs notes: a `SigningKey`, or something that has another do it."""

    @property
    def name(self) -> str:
        """The key's name, as it stands on notes."""

    @property
    def verify_key(self) -> VerifyKey:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature over `message`, 64 bytes. May block, and may fail with a PraetorError."""


def is_name(name: str) -> bool:
    """Whether a key may bear this name: not empty, no white space, control characters or plus (C2SP)."""
    encodable = not any("\ud800" <= c <= "\udfff" for c in name)
    return bool(name) and encodable and not any(c == "+" or c < " " or c.isspace() for c in name)


def check_name(name: str) -> None:
    """Raise MalformedKey unless `is_name(name)`."""
    if not is_name(name):
        raise MalformedKey(f"key name {name!r}: it must not be empty or contain white space, controls or '+'")


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding, and only its canonical text.

    Raises:
        LedgerError: any other text.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LedgerError(f"not base64: {error}") from None
    if base64.b64encode(raw).decode() != text:
        raise LedgerError("not canonical base64")
    return raw


def _read_parts(parts: list[str], what: str, form: str) -> tuple[str, str, bytes]:
    if len(parts) != 3 or not re.fullmatch("[0-9a-fA-F]{8}", parts[1]):
        raise MalformedKey(f"{what}: not of the form {form}")
    name, digest, encoded = parts
    try:
        raw = decode_base64(encoded)
    except LedgerError as error:
        raise MalformedKey(f"{what} {name}: {error}") from None
    if raw[:1] != ED25519 or len(raw) != 1 + SEED_SIZE:
        raise MalformedKey(f"{what} {name}: not an Ed25519 key (0x01 and {SEED_SIZE} bytes)")
    return name, digest, raw[1:]


def _check_hash(key: VerifyKey, digest: str) -> None:
    if key.hash.hex() != digest.lower():
        raise MalformedKey(f"key {key.name}: its hash is {key.hash.hex()}, but its text says {digest}")
