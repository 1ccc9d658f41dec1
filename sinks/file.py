"""A file of lines, with rotation: for collectors that follow files, and for looking at what would be sent."""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import Unavailable
from sinks.encoding import Encoding
from sinks.http import Outbound
from sinks.sink import DELIVERED, Event, Outcome

MIB = 1 << 20


class FileSettings(BaseModel):
    """Where the lines go, when a new file begins, and how many old ones are kept."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["file"]
    path: str = Field(min_length=1)
    max_mib: int = Field(default=100, ge=1, le=100_000)
    keep: int = Field(default=10, ge=1, le=10_000)


class FileSink:
    """Appends one line an event; a batch is on disk (fsync) when `write` returns.

    Half a line that a killed process left is removed at the next start: its event is sent again. The file is
    made with mode 0600. An old file is named after the moment it was put aside (UTC); the oldest beyond
    `keep` are removed.
    """

    def __init__(self, settings: FileSettings, encoding: Encoding, _outbound: Outbound) -> None:
        """Take the settings, and how events are encoded."""
        self._path = Path(settings.path)
        self._most = settings.max_mib * MIB
        self._keep = settings.keep
        self._encoding = encoding

    async def open(self) -> None:
        """Make the folder, and mend the file's end.

        Raises:
            Unavailable: the disk does not let it.
        """
        await asyncio.to_thread(self._guarded, self._mend)

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Append the events.

        Raises:
            Unavailable: the disk does not take them; what a failed write left behind is removed.
        """
        data = b"".join(self._encoding.line(event) + b"\n" for event in events)
        await asyncio.to_thread(self._guarded, lambda: self._append(data))
        return DELIVERED

    async def close(self) -> None:
        """Nothing is open between batches."""

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            raise Unavailable(f"{self._path}: {error.strerror or error}") from error

    def _mend(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            file.truncate(_end_of_last_line(file.seek(0, os.SEEK_END), file.fileno()))

    def _append(self, data: bytes) -> None:
        if self._path.exists() and self._path.stat().st_size + len(data) > self._most:
            self._rotate()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                written = 0
                while written < len(data):
                    written += file.write(data[written:]) or 0
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise

    def _rotate(self) -> None:
        if self._path.stat().st_size == 0:
            return
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self._path.rename(self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}"))
        old = sorted(self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"))
        for path in old[: max(0, len(old) - self._keep)]:
            path.unlink()


def _end_of_last_line(size: int, descriptor: int, step: int = 64 * 1024) -> int:
    """The offset behind the last line break; 0 where there is none."""
    end = size
    while end > 0:
        start = max(0, end - step)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
