"""Avro's integers."""


def zigzag(value: int) -> bytes:
    """Avro's encoding of an integer of up to 64 bits."""
    value = (value << 1) ^ (value >> 63)
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
