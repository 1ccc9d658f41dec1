"""Batches of records that aiokafka cannot read, or should not: a consumer would never get past one.

- A header's name that is no UTF-8: Kafka's protocol says that it is, no broker checks it. It is read with
  replacement characters.
- A compressed batch that inflates to more than it may: 3 KB of zstd can become 100 MB, and a batch may have
  1 MiB. Nor one that does not decompress although its checksum is right. Its records are handed out
  without their bytes (`Unread`), one for each offset.
- Many such batches in one fetch: a fetch ends early once it has inflated to `FETCH_BYTES`; the next begins
  where it ended.

Source of what is relied on: aiokafka 0.14.0, consumer/fetcher.py, record/memory_records.py,
record/default_records.py.
"""

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import aiokafka.consumer.fetcher
import cramjam
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from runtime.inflation import MAX_INFLATED_BYTES, inflates_within

FETCH_BYTES = 8 << 20
UNREADABLE = (
    CorruptRecordException,
    UnsupportedCodecError,
    cramjam.DecompressionError,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
)


class Unread(bytes):
    """Stands for a value that was not read: no bytes, and why."""

    reason: str

    def __new__(cls, reason: str) -> "Unread":
        """Empty bytes, with the reason."""
        made = super().__new__(cls)
        made.reason = reason
        return made


class _Placeholder(NamedTuple):
    offset: int
    timestamp: int
    timestamp_type: int
    value: Unread
    key: None = None
    checksum: None = None
    headers: tuple[()] = ()


class Records(_MemoryRecordsPy):  # type: ignore[misc]
    """The batches of one fetch."""

    inflated = 0

    def has_next(self) -> bool:
        """Whether there is another batch that this fetch may still hold."""
        return self._next_slice is not None and self.inflated < FETCH_BYTES

    def next_batch(self) -> Any:
        """The next batch, read by aiokafka's extension wherever that can read it."""
        raw = self._next_slice
        batch = super().next_batch()
        return Batch(batch, raw, self) if isinstance(batch, DefaultRecordBatch) else batch


class Batch:
    """A batch of records as the fetcher wants it: everything but iterating is the extension's."""

    def __init__(self, batch: Any, raw: memoryview, fetch: Records) -> None:
        self._batch = batch
        self._raw = raw
        self._fetch = fetch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        codec = self._batch.compression_type
        if codec and not inflates_within(codec, self._raw[_DefaultRecordBatchPy.HEADER_STRUCT.size :]):
            yield from self._unread(0, f"it inflates to more than {MAX_INFLATED_BYTES} bytes, or not at all")
            return
        done = size = 0
        try:
            for record in self._batch:
                if codec:
                    size += len(record.value or b"") + len(record.key or b"")
                yield record
                done += 1
            self._fetch.inflated += size
            return
        except UnicodeDecodeError:
            pass
        except UNREADABLE as error:
            yield from self._unread(done, f"{type(error).__name__}: {error}")
            return
        yield from self._tolerantly(done)

    def _tolerantly(self, done: int) -> Iterator[Any]:
        try:
            for record in islice(_Tolerant(self._raw), done, None):
                yield record
                done += 1
        except UNREADABLE as error:
            yield from self._unread(done, f"{type(error).__name__}: {error}")

    def _unread(self, done: int, why: str) -> Iterator[_Placeholder]:
        """A record without bytes for each offset of the batch after the first `done`."""
        batch = _DefaultRecordBatchPy(self._raw)
        value = Unread(
            f"it stands in a batch of {batch.last_offset_delta + 1} records from offset {batch.base_offset}"
            f" on, {len(self._raw)} bytes, that cannot be read: {why[:200]}"
        )
        by_broker = batch.timestamp_type == batch.LOG_APPEND_TIME
        at = batch.max_timestamp if by_broker else batch.first_timestamp
        for offset in range(batch.base_offset + done, batch.next_offset):
            yield _Placeholder(offset, at, batch.timestamp_type, value)


class _Tolerant(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)


class _Bytes(bytearray):
    """Bytes that always decode."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _Bytes(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


def install() -> None:
    """Have every consumer of this process read this way; aiokafka has no option for it."""
    aiokafka.consumer.fetcher.MemoryRecords = Records
