"""Who numbers the events: a producer's name, and an epoch larger than at its last start."""

from __future__ import annotations

import os
import re
import socket
import time
from pathlib import Path
from typing import NamedTuple

from praetor.errors import PraetorError

_ODD = re.compile(r"[^A-Za-z0-9._-]")


class Identity(NamedTuple):
    """The producer's name, and its epoch."""

    producer_id: str
    epoch: int


def begin(producer_id: str | None, state_dir: str | Path | None) -> Identity:
    """A new epoch.

    Without a name, one of this start alone is made of the host's, and a random part. The epoch is
    the time in microseconds, or one more than the epoch in `state_dir`, whichever is larger: larger than
    before as long as that file lives or the clock is not set back. Of two processes that share one
    name at one time nothing is promised: give each its own.

    Raises:
        PraetorError: the state cannot be read or written.
    """
    if producer_id is None:
        producer_id = f"{socket.gethostname()}-{os.urandom(6).hex()}"
    now = time.time_ns() // 1000
    if state_dir is None:
        return Identity(producer_id, now)
    path = Path(state_dir) / f"{_ODD.sub('_', producer_id)}.epoch"
    try:
        return Identity(producer_id, _advance(path, now))
    except (OSError, ValueError) as error:
        raise PraetorError(
            f"the epoch of producer {producer_id} cannot be kept in {path}: {error};"
            " make it readable and writable, or delete it if its content is damaged"
        ) from error


def fork(parent: Identity) -> Identity:
    """Of a child process: a name of its own, as its parent goes on under the old one."""
    return Identity(f"{parent.producer_id}.{os.getpid()}", max(time.time_ns() // 1000, parent.epoch + 1))


def _advance(path: Path, now: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    epoch = max(now, int(path.read_text(encoding="ascii")) + 1 if path.exists() else now)
    new = path.with_suffix(f".{os.getpid()}.new")
    with new.open("w", encoding="ascii") as file:
        file.write(f"{epoch}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    return epoch
