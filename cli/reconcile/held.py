"""The ids that a destination of type `file` holds: in its file, and in those that were put aside."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runtime.errors import PraetorError
from sinks.destination import Destination
from sinks.file import FileSettings

CEF_ID = re.compile(rb"(?:^|[| ])externalId=((?:\\.|[^\\ ])*)")
LEEF_ID = re.compile(rb"(?:^|[|\t])uid=([^\t]*)")


def _cef(line: bytes) -> str:
    found = CEF_ID.search(line)
    return re.sub(r"\\(.)", r"\1", found[1].decode()) if found else ""


def _leef(line: bytes) -> str:
    found = LEEF_ID.search(line)
    return found[1].decode() if found else ""


def _of(*path: str) -> Callable[[bytes], str]:
    def read(line: bytes) -> str:
        value: Any = json.loads(line)
        for name in path:
            value = value[name]
        return str(value)

    return read


IDS: dict[str, Callable[[bytes], str]] = {
    "cef": _cef,
    "ecs": _of("event", "id"),
    "leef": _leef,
    "ocsf": _of("metadata", "uid"),
    "plain": _of("id"),
}
"""Where a line says its event's id, by format."""


class HeldFiles:
    """What a file holds. `complete`: no file of it can have been removed by rotation."""

    def __init__(self, destination: Destination) -> None:
        """Read all ids; a set of them is held in memory.

        Raises:
            PraetorError: a file cannot be read, or a line of it is not what forward writes.
        """
        settings = destination.to
        if not isinstance(settings, FileSettings):
            raise TypeError(destination.document.to["type"])
        path = Path(settings.path)
        aside = sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))
        self.complete = len(aside) < settings.keep
        self.ids: set[str] = set()
        for file in (*aside, *([path] if path.exists() else [])):
            self.ids.update(_ids(file, IDS[destination.document.format]))


def _ids(file: Path, read: Callable[[bytes], str]) -> Iterator[str]:
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    continue  # being written
                try:
                    yield read(line[:-1])
                except (ValueError, KeyError, TypeError) as error:
                    raise PraetorError(f"{file}:{number} is no line that forward writes: {error}") from error
    except OSError as error:
        raise PraetorError(f"{file}: {error.strerror or error}") from error
