"""chDB, the ClickHouse engine in this process: one session a request, nothing shared between requests."""

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import chdb

# Blocks of these formats may be put one after the other; all others are made whole in memory.
BLOCKWISE = frozenset({"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"})
CODE = re.compile(r"Code: (\d+)\.")


class EngineError(Exception):
    """ClickHouse refused; `code` is its error code, the message its own words."""

    def __init__(self, message: str) -> None:
        found = CODE.search(message)
        self.code = int(found.group(1)) if found else 1002
        super().__init__(message[found.start() :] if found else message)


@dataclass
class Progress:
    """What a request has read and written so far, for X-ClickHouse-Summary."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0


class Engine:
    """The data folder, open in this process; no other process can have it open."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._root = chdb.connect(self._path)
        self._sessions = WeakSet[Session]()

    def session(self) -> "Session":
        """Return a session with default settings; sessions may run at the same time in several threads."""
        session = Session(self._path)
        self._sessions.add(session)
        return session

    def close(self) -> None:
        """Let the folder go, unless a session still runs: then the end of the process has to do it."""
        if all(session.closed for session in self._sessions):
            self._root.close()


class Session:
    """One request's connection; it may move between threads but serves one call at a time."""

    def __init__(self, path: str) -> None:
        self._connection = chdb.connect(path)
        self._running: Iterator[bytes] | None = None
        self._insert: Any = None
        self.closed = False
        self.progress = Progress()

    def set(self, settings: Mapping[str, str]) -> None:
        """Apply settings, `readonly` last.

        Raises:
            EngineError: an unknown setting or a bad value.
        """
        for name in sorted(settings, key=lambda name: name == "readonly"):
            self.query(f"SET {name} = {quote(settings[name])}", "Null", {})

    def use(self, database: str) -> None:
        """Choose the database that names without one refer to.

        Raises:
            EngineError: there is no such database.
        """
        self.query("USE `" + database.replace("\\", "\\\\").replace("`", "\\`") + "`", "Null", {})

    def query(self, sql: str, data_format: str, parameters: Mapping[str, str]) -> bytes:
        """Run one statement and return its whole result.

        Raises:
            EngineError: as ClickHouse reports it.
        """
        with _engine_errors():
            result = self._connection.query(sql, data_format, params=dict(parameters))
            self._count(result)
            return bytes(result.bytes())

    def blocks(self, sql: str, data_format: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """Run a SELECT and yield its result block by block; nothing is held but the block at hand.

        Raises:
            EngineError: at any block, also after some have been yielded.
        """
        self._running = self._blocks(sql, data_format, parameters)
        return self._running

    def _blocks(self, sql: str, data_format: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        with (
            _engine_errors(),
            self._connection.send_query(sql, data_format, params=dict(parameters)) as stream,
        ):
            for result in stream:
                self._count(result)
                yield bytes(result.bytes())

    def insert(self, head: str, data_format: str) -> None:
        """Begin an INSERT; `append` its data, then call `finish`, else `close` cancels it.

        Raises:
            EngineError: no such table or format, or the session is read-only.
        """
        with _engine_errors():
            self._insert = self._connection.send_insert(head, data_format)

    def append(self, data: bytes) -> None:
        """Hand over the next bytes of the INSERT's data, cut anywhere.

        Raises:
            EngineError: the data does not parse.
        """
        if self._insert is not None:
            with _engine_errors():
                self._insert.append(data)

    def finish(self) -> None:
        """Write what was appended. Up to 1,048,449 rows and 256 MB it is one block, as in a server.

        Raises:
            EngineError: nothing was written, or only some table partitions of it.
        """
        if self._insert is not None:
            with _engine_errors():
                result = self._insert.finish()
                self.progress.written_rows += result.rows_written
                self.progress.written_bytes += result.bytes_written

    def close(self) -> None:
        """Give the session back; what still runs is cancelled first (the engine crashes otherwise)."""
        if isinstance(self._running, Generator):
            self._running.close()
        if self._insert is not None:
            self._insert.cancel()
        self._connection.close()
        self.closed = True

    def _count(self, result: Any) -> None:
        self.progress.read_rows += result.storage_rows_read() or result.rows_read()
        self.progress.read_bytes += result.storage_bytes_read() or result.bytes_read()
        self.progress.written_rows += result.rows_written()
        self.progress.written_bytes += result.bytes_written()


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, chdb.ChdbError) as error:
        raise EngineError(str(error)) from error


def quote(text: str) -> str:
    """Return a string literal of ClickHouse's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
