"""Finds which of many literals stand in a record's bytes, in one pass whose cost hardly grows with them.

Hyperscan (Vectorscan on ARM) reads the bytes once and reports each literal at most once, so that time and
what is reported are bounded whatever the bytes are.
"""

from collections.abc import Sequence
from typing import Any

import hyperscan

_FLAGS = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_CASELESS


class Scanner:
    """Seeks texts; ASCII letters are found in either case, all else as its UTF-8 stands."""

    __slots__ = ("_database",)

    def __init__(self, texts: Sequence[str]) -> None:
        """Compile texts, none of them empty; of none, nothing is ever found."""
        self._database: Any = None
        if texts:
            self._database = hyperscan.Database()
            self._database.compile(
                expressions=[b"".join(b"\\x%02x" % byte for byte in text.encode()) for text in texts],
                ids=range(len(texts)),
                elements=len(texts),
                flags=[_FLAGS] * len(texts),
            )

    def find(self, data: bytes) -> list[int]:
        """The places, in the list of texts, of those that stand in the bytes; in no certain order."""
        found: list[int] = []
        if self._database is None:
            return found
        try:
            self._database.scan(data, _found, 0, found)
        except hyperscan.ScratchInUseError:  # another thread is scanning
            found.clear()
            self._database.scan(data, _found, 0, found, hyperscan.Scratch(self._database))
        return found


def _found(place: int, start: int, end: int, flags: int, found: list[int]) -> None:
    found.append(place)
