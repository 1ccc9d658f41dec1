"""Records read and not yet archived, of one topic's partition."""

from array import array
from collections.abc import Sequence

from aiokafka import ConsumerRecord

from consumers.cut import Run, Source
from runtime.errors import PraetorError

MAX_ROWS = 100_000
MAX_BYTES = 64 << 20


class Buffer:
    """Collects records in order, and gives them back in runs that one intent may hold."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.bytes = 0
        self._values: list[bytes] = []
        self._offsets = array("q")

    def __len__(self) -> int:
        return len(self._values)

    @property
    def full(self) -> bool:
        """Whether a run of the largest size is there."""
        return len(self._values) >= MAX_ROWS or self.bytes >= MAX_BYTES

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Append what was read next.

        Raises:
            PraetorError: a record without a value, which cannot be archived.
        """
        values = [record.value for record in records]
        if None in values:
            offset = records[values.index(None)].offset
            raise PraetorError(f"{self.source.place} offset {offset} cannot be archived: its value is null")
        self._values += values
        self._offsets.extend([record.offset for record in records])
        self.bytes += sum(map(len, values))

    def take(self) -> Run:
        """Remove and return the first run: at most MAX_ROWS records and MAX_BYTES, at least one record."""
        count = min(len(self._values), MAX_ROWS)
        if self.bytes > MAX_BYTES:
            count = min(count, _fitting(self._values, MAX_BYTES))
        run = Run(self._values[:count], self._offsets[:count])
        self._values = self._values[count:]
        self._offsets = self._offsets[count:]
        self.bytes -= sum(map(len, run.values))
        return run


def _fitting(values: Sequence[bytes], limit: int) -> int:
    total = 0
    for count, value in enumerate(values):
        total += len(value)
        if total > limit:
            return max(1, count)
    return len(values)
