"""How large a record of agent.actions may be: the one rule, for whoever sends, judges or keeps one.

A value has at most 1 MiB; with its key and headers a record has at most 60 KiB more. Sizes are of
uncompressed bytes. Every record within the limits fits an uncompressed batch of the topic (`schemas.topics`).
"""

from collections.abc import Iterable

MAX_VALUE_BYTES = 1 << 20
MAX_RECORD_BYTES = MAX_VALUE_BYTES + 60 * 1024
# what a header takes beside its name and value: a compressed batch may hold millions of empty ones
HEADER_BYTES = 16

Headers = Iterable[tuple[str, bytes | None]]


def headers_bytes(headers: Headers) -> int:
    """What headers count."""
    return sum(HEADER_BYTES + len(name) + len(value or b"") for name, value in headers)


def oversize(key: bytes | None, value: bytes | None, headers: Headers) -> str:
    """Say in words why a record is too large; nothing where it is not."""
    size = len(value or b"")
    if size > MAX_VALUE_BYTES:
        return f"a value of {size} bytes; {MAX_VALUE_BYTES} are allowed: cut long content"
    size += len(key or b"") + headers_bytes(headers)
    if size > MAX_RECORD_BYTES:
        return f"{size} bytes of key, value and headers; {MAX_RECORD_BYTES} are allowed: send fewer of them"
    return ""
