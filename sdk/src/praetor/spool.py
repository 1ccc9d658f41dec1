"""A file of events that could not be sent: each its length, four bytes big-endian, and its framed bytes.

Events of one agent stand in their order. They keep their numbers, so that sending them later fills the gap;
one that had arrived without an acknowledgement is then in the log twice, and the server marks it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from praetor.errors import PraetorError


def spool(path: Path, values: Iterable[bytes]) -> None:
    """Append to the file, and have the disk hold it; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(handle, "ab") as file:
        file.write(b"".join(len(value).to_bytes(4, "big") + value for value in values))
        file.flush()
        os.fsync(file.fileno())


def read_spool(path: Path) -> Iterator[bytes]:
    """The framed bytes of each event.

    Raises:
        PraetorError: the file ends within an event, or cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PraetorError(f"{path} cannot be read: {error.strerror}") from error
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        value = raw[at + 4 : at + 4 + size]
        if len(value) < max(size, 1):
            raise PraetorError(f"{path} is cut within the event at byte {at}: it was not written whole")
        yield value
        at += 4 + size
