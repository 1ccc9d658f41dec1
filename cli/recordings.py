"""Recorded actions in files: lines in, records of ActionEvent out, each mistake with its line."""

import gzip
import io
import json
import secrets
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from runtime.errors import Malformed, PraetorError
from schemas.model import ActionEvent, explain

Record = dict[str, Any]

NAMESPACE = uuid.UUID("5a3c1f0e-7d0b-5b0e-9b5e-1d6a1c0d8e11")
GZIP_MAGIC = b"\x1f\x8b"
SALT_BYTES = 16


class Recording(NamedTuple):
    """An open file: its lines, and how many of its `total` bytes (None: unknown) were read."""

    lines: Iterator[bytes]
    position: Callable[[], int]
    total: int | None


@contextmanager
def open_recording(name: str) -> Iterator[Recording]:
    """Open a file of lines, plain or gzip (told by its first bytes); `-` is standard input.

    Raises:
        PraetorError: it cannot be opened or, while reading, its gzip is broken.
    """
    try:
        with _opened(name) as source:
            total = None if name == "-" else Path(name).stat().st_size
            position = source.tell if source.seekable() else lambda: 0
            packed = source.peek(2)[:2] == GZIP_MAGIC
            lines: Any = gzip.GzipFile(fileobj=source) if packed else source
            yield Recording(iter(lines), position, total)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PraetorError(f"{name} is broken gzip: {error}; nothing was published") from error
    except OSError as error:
        raise PraetorError(f"cannot read {name}: {error.strerror or error}") from error


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader]:
    if name != "-":
        with Path(name).open("rb") as source:
            yield source
        return
    source = io.BufferedReader(sys.stdin.buffer)  # type: ignore[arg-type]
    try:
        yield source
    finally:
        source.detach()  # standard input is not ours to close


class ActionReader:
    """Lines of ActionEvent.

    A line without `event_id` gets one from its number and bytes (the same at each replay), one without
    `occurred_at` the start of the replay, one with free text but no `salt` a random salt.
    """

    def __init__(self, started_micros: int) -> None:
        self._started = started_micros

    def read(self, number: int, line: bytes) -> list[Record]:
        """The line's record.

        Raises:
            Malformed: every mistake of the line.
        """
        try:
            given = json.loads(line)
            if isinstance(given, dict):
                given.setdefault("occurred_at", self._started)
                given.setdefault("event_id", str(uuid.uuid5(NAMESPACE, f"{number}/{line.hex()}")))
            record = ActionEvent.model_validate(given).to_record()
        except ValidationError as error:
            raise Malformed(explain(error)) from error
        except (ValueError, RecursionError) as error:
            raise Malformed(f"no JSON: {error}") from error
        if record["salt"] is None and (record["arguments"] is not None or record["content"] is not None):
            record["salt"] = secrets.token_bytes(SALT_BYTES)
        return [record]
