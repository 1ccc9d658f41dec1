"""Records read and not yet archived, of one topic's partition."""

from array import array
from collections import deque
from collections.abc import Sequence

from aiokafka import ConsumerRecord

from consumers.cut import Run, Source
from runtime.errors import PraetorError

MAX_ROWS = 100_000
MAX_BYTES = 64 << 20


class Buffer:
    """Collects records in order, and gives them back in runs that one intent may hold.

    It is full at `most` bytes; what one read brings beyond that is kept too.
    """

    def __init__(self, source: Source, most: int | None = None) -> None:
        self.source = source
        self.most = MAX_BYTES if most is None else most
        self.bytes = 0
        self._values: list[bytes] = []
        self._offsets = array("q")
        self._times: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def full(self) -> bool:
        """Whether a run of the largest size is there."""
        return len(self._values) >= MAX_ROWS or self.bytes >= self.most

    @property
    def oldest_ms(self) -> int | None:
        """The append time of about the first record (of those read with it); None: empty."""
        return self._times[0][1] if self._times else None

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Append what was read next.

        Raises:
            PraetorError: a record without a value, which cannot be archived.
        """
        if records:
            self._times.append((records[0].offset, records[0].timestamp))
        values = [record.value for record in records]
        if None in values:
            offset = records[values.index(None)].offset
            raise PraetorError(f"{self.source.place} offset {offset} cannot be archived: its value is null")
        self._values += values
        self._offsets.extend([record.offset for record in records])
        self.bytes += sum(map(len, values))

    def take(self) -> Run:
        """Remove and return the first run: at most MAX_ROWS records and `most` bytes, at least one record."""
        count = min(len(self._values), MAX_ROWS)
        if self.bytes > self.most:
            count = min(count, _fitting(self._values, self.most))
        run = Run(self._values[:count], self._offsets[:count])
        self._values = self._values[count:]
        self._offsets = self._offsets[count:]
        self.bytes -= sum(map(len, run.values))
        while self._times and (not self._values or _next_is_before(self._times, self._offsets[0])):
            self._times.popleft()
        return run


def _next_is_before(times: deque[tuple[int, int]], offset: int) -> bool:
    return len(times) > 1 and times[1][0] <= offset


def _fitting(values: Sequence[bytes], limit: int) -> int:
    total = 0
    for count, value in enumerate(values):
        total += len(value)
        if total > limit:
            return max(1, count)
    return len(values)
