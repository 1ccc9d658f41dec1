"""Encoded actions between being checked and being published: in memory, beyond 64 MB in a nameless file."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

LENGTH = 4
MEMORY_BYTES = 64 * 1024 * 1024


class Spool:
    """Keys and values, written once and read back in order. A context manager; nothing outlives it."""

    def __init__(self) -> None:
        self.count = 0
        self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, key: bytes, value: bytes) -> None:
        """Append one record."""
        for part in (key, value):
            self._file.write(len(part).to_bytes(LENGTH, "big"))
            self._file.write(part)
        self.count += 1

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """All records, from the first."""
        self._file.seek(0)
        for _ in range(self.count):
            yield self._part(), self._part()

    def _part(self) -> bytes:
        return self._file.read(int.from_bytes(self._file.read(LENGTH), "big"))
