"""Records whose header names are no UTF-8: aiokafka raises on them, and a consumer would never get past one.

Kafka's protocol says that a header's name is UTF-8, no broker checks it, and any producer can break it.
Source of what is relied on: aiokafka 0.14.0, record/memory_records.py, record/default_records.py.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import aiokafka.consumer.fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


class Records(_MemoryRecordsPy):  # type: ignore[misc]
    """The batches of one fetch. Bytes of a header's name that are no UTF-8 are read as U+FFFD."""

    def next_batch(self) -> Any:
        """The next batch, read by aiokafka's extension wherever that can read it."""
        raw = self._next_slice
        batch = super().next_batch()
        return Batch(batch, raw) if isinstance(batch, DefaultRecordBatch) else batch


class Batch:
    """A batch of records as the fetcher wants it: everything but iterating is the extension's."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        done = 0
        try:
            for record in self._batch:
                yield record
                done += 1
            return
        except UnicodeDecodeError:
            pass
        yield from islice(_Tolerant(self._raw), done, None)


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
