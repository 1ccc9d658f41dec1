"""Sets of rules as integers: bit i is rule i."""

from collections.abc import Iterable
from itertools import islice

FEW = 32
"""Up to so many members, taking one after the other off the integer is quicker than walking all its bytes."""


def bits(places: Iterable[int]) -> int:
    """The set of some places."""
    flags = bytearray()
    for place in places:
        byte = place >> 3
        if byte >= len(flags):
            flags.extend(bytes(byte + 1 - len(flags)))
        flags[byte] |= 1 << (place & 7)
    return int.from_bytes(flags, "little")


def lowest(mask: int, most: int) -> list[int]:
    """The lowest places of a set, ascending, at most so many."""
    if min(most, mask.bit_count()) > FEW:
        flags = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
        found = (8 * i + bit for i, byte in enumerate(flags) if byte for bit in range(8) if byte >> bit & 1)
        return list(islice(found, most))
    places: list[int] = []
    while mask and len(places) < most:
        low = mask & -mask
        places.append(low.bit_length() - 1)
        mask ^= low
    return places
