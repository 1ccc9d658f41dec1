"""Event ids as cells keep them: 16 bytes."""


def pack_id(event_id: str) -> bytes:
    """The bytes of a UUID.

    Raises:
        ValueError: it is none.
    """
    packed = bytes.fromhex(event_id.replace("-", ""))
    if len(packed) != 16:
        raise ValueError(f"event id {event_id[:100]!r} is no UUID")
    return packed


def unpack_id(packed: bytes) -> str:
    """The UUID of such bytes, as events have it."""
    h = packed.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
