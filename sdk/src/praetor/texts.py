"""Free text before it leaves: made JSON, redacted, cut, and bound by its digest where it was cut."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import hashlib
import json
import logging
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Callable

Redactor = Callable[[str, str], str]
"""Called with a field's name (`arguments`, `content`, `resource`) and its text; returns what may be sent."""

REDACTED = "[redacted]"
SECRET_KEYS = (
    "password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "authorization", "cookie",
    "credential", "credentials", "api_key", "apikey", "private_key", "access_key", "client_secret",
)  # fmt: skip
DEPTH = 32
TOO_DEEP = "[too deep]"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"[^a-z0-9]+")
_PLAIN = (datetime.date, datetime.time, decimal.Decimal, uuid.UUID, os.PathLike)

log = logging.getLogger("praetor")


class Redaction:
    """What is taken out of arguments and content.

    Args:
        keys: a value in a dictionary is replaced where its key, or a run of words of its key, is one of
            these: `password` matches `db_password` and `dbPassword`, `token` does not match `max_tokens`.
        functions: called in turn with every text that is about to be sent.
    """

    def __init__(self, keys: Iterable[str] = SECRET_KEYS, functions: Iterable[Redactor] = ()) -> None:
        self._keys = {_spelled(key) for key in keys}
        self.functions = tuple(functions)
        self._hidden = lru_cache(maxsize=4096)(self._matches)

    def to_json(self, value: Any) -> str:
        """JSON text of any value, without what is secret; a string that holds JSON is looked into."""
        if isinstance(value, str):
            return self._text(value)
        return json.dumps(self._plain(value, ()), ensure_ascii=False, separators=(",", ":"))

    def pairs(self, labels: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Labels without what is secret."""
        for key, value in labels.items():
            yield str(key), REDACTED if self._hidden(str(key)) else str(value)

    def apply(self, field: str, text: str) -> str:
        """The text as the functions leave it; one that fails takes the whole text away."""
        for function in self.functions:
            try:
                text = str(function(field, text))
            except Exception:  # noqa: PERF203 - whatever it raises, what it should hide is not sent
                log.exception("a redactor failed on %s: the text is not sent", field)
                return REDACTED
        return text

    def _matches(self, key: str) -> bool:
        spelled = _spelled(key)
        return any(f"_{hidden}_" in f"_{spelled}_" for hidden in self._keys)

    def _text(self, text: str) -> str:
        if not self._keys or text[:1] not in ("{", "["):
            return text
        try:
            found = json.loads(text)
            clean = self._plain(found, ())
        except (ValueError, RecursionError):
            return text
        return text if clean == found else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))

    def _plain(self, value: Any, above: tuple[Any, ...]) -> Any:
        """What JSON can say of a value within others; objects that it cannot say are named by their type."""
        kind = type(value)
        if kind is str or value is None or kind is int or kind is bool:
            return value
        if isinstance(value, float):
            return value if value - value == 0 else str(value)
        if len(above) > DEPTH or any(value is outer for outer in above):
            return TOO_DEEP
        within = (*above, value)
        if isinstance(value, Mapping):
            return {
                str(k): REDACTED if self._hidden(str(k)) else self._plain(v, within) for k, v in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._plain(v, within) for v in value]
        return self._odd(value, within)

    def _odd(self, value: Any, within: tuple[Any, ...]) -> Any:
        if isinstance(value, enum.Enum):
            return self._plain(value.value, within)
        if isinstance(value, (str, int)):
            return value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"<{len(value)} bytes>"
        if isinstance(value, _PLAIN):
            return str(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._plain({f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, within)
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


@lru_cache(maxsize=4096)
def _spelled(key: str) -> str:
    return _WORDS.sub("_", _CAMEL.sub("_", key).lower()).strip("_")


def text_digest(salt: bytes, field: str, text: bytes) -> bytes:
    """SHA-256(length of the salt, 8 bytes big-endian ‖ salt ‖ field ‖ 0x00 ‖ text): docs/adr/0001."""
    return hashlib.sha256(len(salt).to_bytes(8, "big") + salt + field.encode() + b"\x00" + text).digest()


def cut(text: str, limit: int) -> tuple[str, bytes] | None:
    """Where the text is longer than `limit` bytes: its beginning, in whole characters, and all its bytes."""
    if len(text) * 6 <= limit:
        return None
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return None
    return raw[:limit].decode("utf-8", "ignore"), raw


def choose_redaction(redact: Redaction | Redactor | Iterable[Any] | None) -> Redaction:
    """What the `redact` setting means: key names are added to the default ones; None is only the default."""
    if isinstance(redact, Redaction):
        return redact
    parts = () if redact is None else (redact,) if callable(redact) or isinstance(redact, str) else redact
    names = [part for part in parts if isinstance(part, str)]
    functions = [part for part in parts if callable(part)]
    return Redaction((*SECRET_KEYS, *names), functions)
