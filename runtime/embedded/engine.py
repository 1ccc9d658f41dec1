"""chDB, the ClickHouse engine in this process: one session a request, nothing shared between requests."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakSet

import chdb

# Blocks of these formats may be put one after the other; all others are made whole in memory.
BLOCKWISE = frozenset({"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"})
STREAMING_NOT_SUPPORTED = "Streaming query is not supported"
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
    """One request's connection; it may move between threads, and serves one call at a time (a lock)."""

    def __init__(self, path: str) -> None:
        self._connection = chdb.connect(path)
        self._lock = Lock()
        self._rows: Any = None
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
        with self._call():
            result = self._connection.query(sql, data_format, params=dict(parameters))
            self._count(result)
            return bytes(result.bytes())

    def select(self, sql: str, data_format: str, parameters: Mapping[str, str]) -> None:
        """Start a SELECT whose result `block` gives; `data_format` is one of BLOCKWISE.

        Raises:
            EngineError: as ClickHouse reports it.
        """
        with self._call():
            self._rows = self._connection.send_query(sql, data_format, params=dict(parameters))

    def block(self) -> bytes:
        """Return the next block of the SELECT's result, b"" after the last.

        Raises:
            EngineError: the query fails; what was returned before is not the whole result.
        """
        with self._call():
            result = self._rows.fetch()
            if result is None:
                return b""
            self._count(result)
            return bytes(result.bytes())

    def insert(self, head: str, data_format: str) -> None:
        """Begin an INSERT; `append` its data, then call `finish`, else `close` cancels it.

        Raises:
            EngineError: no such table or format, or the session is read-only.
        """
        with self._call():
            self._insert = self._connection.send_insert(head, data_format)

    def append(self, data: bytes) -> None:
        """Hand over the next bytes of the INSERT's data, cut anywhere.

        Raises:
            EngineError: the data does not parse.
        """
        if self._insert is not None:
            with self._call():
                self._insert.append(data)

    def finish(self) -> None:
        """Write what was appended. Up to 1,048,449 rows and 256 MB it is one block, as in a server.

        Raises:
            EngineError: nothing was written, or only some table partitions of it.
        """
        if self._insert is not None:
            with self._call():
                result = self._insert.finish()
                self.progress.written_rows += result.rows_written
                self.progress.written_bytes += result.bytes_written

    def close(self) -> None:
        """Give the session back; what still runs is cancelled first (the engine crashes otherwise)."""
        with self._call():
            for running in (self._rows, self._insert):
                if running is not None:
                    running.cancel()
            self._connection.close()
            self.closed = True

    @contextmanager
    def _call(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (RuntimeError, chdb.ChdbError) as error:
                raise EngineError(str(error)) from error

    def _count(self, result: Any) -> None:
        self.progress.read_rows += result.storage_rows_read() or result.rows_read()
        self.progress.read_bytes += result.storage_bytes_read() or result.bytes_read()
        self.progress.written_rows += result.rows_written()
        self.progress.written_bytes += result.bytes_written()


def quote(text: str) -> str:
    """Return a string literal of ClickHouse's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
