"""Actions from a file, spread over some files of their own by their agents."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from rich.progress import Progress

from cli.backtest.source import FOREVER, Kept
from cli.replay import Format, check_file
from cli.spool import Spool
from judgement.recorded import Recorded
from runtime.errors import Malformed, PraetorError
from schemas.action import read_action
from schemas.keys import agent_key, partition_of

CHUNKS = 16
_HEAD = Struct("<qqI")
_LENGTH = Struct(">I")


class FileFormat(StrEnum):
    """What a file holds."""

    actions = "actions"
    trace = "trace"
    spool = "spool"


@dataclass(frozen=True)
class FileChunk:
    """The actions of some agents: (received_at, place in the original file, length, bytes) each."""

    path: Path
    actions: int

    @contextmanager
    def open(self, kept: Kept) -> Iterator["FileFeed"]:
        """Open it."""
        with self.path.open("rb") as file:
            yield FileFeed(file)


class FileFeed:
    """Reads such a file. Agents begin anew."""

    grouped = False

    def __init__(self, file: BinaryIO) -> None:
        """Take the open file."""
        self._file = file

    def stored(self) -> Iterator[Recorded]:
        """In the order of the original file."""
        while head := self._file.read(_HEAD.size):
            received_at, place, length = _HEAD.unpack(head)
            yield Recorded(read_action(self._file.read(length), received_at), None, -1, place)

    def begin(self, first: Recorded) -> Mapping[str, bytes]:
        """Nothing was before."""
        return {}

    def unremembered(self) -> int:
        """Nobody: a file is all there is."""
        return 0


def plan_file(name: str, of: FileFormat, folder: Path, progress: Progress) -> list[FileChunk]:
    """Read, check and spread a file over chunks in a folder: always the same ones for the same file.

    Times are the actions' `occurred_at`, which never falls within an agent here.

    Raises:
        PraetorError: it cannot be read, lines are bad (all are named), or it is empty.
    """
    if of is FileFormat.spool:
        chunks = _spread(_spooled(Path(name)), folder)
    else:
        with Spool() as spool:
            check_file(name, Format(of.value), spool, progress)
            chunks = _spread((value for _, value in spool.records()), folder)
    if not chunks:
        raise PraetorError(f"{name} holds no action")
    return chunks


def _spread(values: Iterator[bytes], folder: Path) -> list[FileChunk]:
    counts: dict[int, int] = {}
    latest: dict[bytes, int] = {}
    paths = [folder / f"chunk-{number:02}" for number in range(CHUNKS)]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for place, value in enumerate(values):
            try:
                action = read_action(value, 0)
            except Malformed as error:
                raise PraetorError(f"event {place + 1}: {error}") from error
            key = agent_key(action.tenant, action.agent_id)
            received_at = min(max(action.get("occurred_at") // 1000, latest.get(key, 0)), FOREVER)
            latest[key] = received_at
            number = partition_of(key, CHUNKS)
            files[number].write(_HEAD.pack(received_at, place, len(value)) + value)
            counts[number] = counts.get(number, 0) + 1
    return [FileChunk(paths[number], counts[number]) for number in sorted(counts)]


def _spooled(path: Path) -> Iterator[bytes]:
    """What an SDK could not send: each event its length, four bytes big-endian, and its framed bytes."""
    try:
        with path.open("rb") as file:
            yield from iter(_reader(path, file), b"")
    except OSError as error:
        raise PraetorError(f"cannot read {path}: {error.strerror or error}") from error


def _reader(path: Path, file: BinaryIO) -> Callable[[], bytes]:
    def read() -> bytes:
        head = file.read(_LENGTH.size)
        if not head:
            return b""
        length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        value = file.read(min(length, 1 << 24))
        if not value or len(value) != length:
            raise PraetorError(f"{path} is no spool file, or is cut within the event at byte {file.tell()}")
        return value

    return read
