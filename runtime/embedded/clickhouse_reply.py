"""Replies of ClickHouse's HTTP interface: headers, compression, errors in mid-stream."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.embedded.compression import Compressor, Encoded, Plain
from runtime.embedded.engine import EngineError, Progress, Session
from runtime.embedded.statement import Query

T = TypeVar("T")
CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
}


class Run(Protocol):
    """Calls a blocking function in a thread."""

    def __call__(self, function: Callable[..., T], *args: object) -> Awaitable[T]:
        """Return what the function returns."""
        ...


def reply_headers(query_id: str, data_format: str, progress: Progress) -> dict[str, str]:
    """Return the headers that every good reply has; a streamed reply's summary covers its first block."""
    summary = {name: str(value) for name, value in vars(progress).items()}
    headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Summary": json.dumps(summary)}
    if data_format:
        headers["X-ClickHouse-Format"] = data_format
        headers["Content-Type"] = CONTENT_TYPES.get(data_format, "text/plain; charset=UTF-8")
    return headers


def compressor(encoding: str) -> Compressor:
    """Return a compressor for a Content-Encoding; "" is none."""
    return Encoded(encoding) if encoding else Plain()


def whole(data: bytes, headers: Mapping[str, str], encoding: str) -> Response:
    """Return a reply whose body is at hand."""
    body = compressor(encoding)
    named = {"Content-Encoding": encoding} if encoding else {}
    return Response(body.add(data) + body.end(), headers={**headers, **named})


def first_block(
    session: Session, sql: str, query: Query, data_format: str, parameters: Mapping[str, str]
) -> bytes:
    """Start a SELECT and return its first block.

    Of an empty result in Native that is a block of its columns without rows, as a server sends it; chDB's
    stream of no rows is empty.

    Raises:
        EngineError: the query fails before its first block.
    """
    session.select(sql, data_format, parameters)
    block = session.block()
    if block or data_format != "Native":
        return block
    described = session.query(f"DESCRIBE TABLE ({query.core}\n)", "JSONCompactColumns", parameters)
    names, types = json.loads(described)[:2]
    columns = b"".join(text(name) + text(kind) for name, kind in zip(names, types, strict=True))
    return varint(len(names)) + varint(0) + columns


def varint(number: int) -> bytes:
    """Return an unsigned LEB128 number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def text(value: str) -> bytes:
    """Return a string as Native has it: length, then UTF-8."""
    data = value.encode()
    return varint(len(data)) + data


class Blocks(Response):
    """A reply that is sent while the query still runs; the query ends when the client goes away.

    An error in mid-stream is written with the tag that the headers announce (ClickHouse 25.11 and later),
    and the body is left without its end, so that no client takes it for whole.
    """

    def __init__(
        self, session: Session, begin: bytes, headers: Mapping[str, str], encoding: str, run: Run
    ) -> None:
        self._tag = secrets.token_hex(8)
        named = {"Content-Encoding": encoding} if encoding else {}
        super().__init__(headers={**headers, **named, "X-ClickHouse-Exception-Tag": self._tag})
        del self.headers["Content-Length"]
        self._session, self._begin, self._run = session, begin, run
        self._body = compressor(encoding)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send block after block, and give the session back whatever happens."""
        gone = asyncio.create_task(disconnected(receive))
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            piece: bytes | None = self._body.add(self._begin)
            while piece is not None and not gone.done():
                await send_body(send, piece)
                piece = await self._run(self._next)
            await send_body(send, self._body.end(), last=True)
        except EngineError as error:
            await send_body(send, self._body.add(self._exception(str(error))) + self._body.end())
        finally:
            gone.cancel()
            await self._run(self._session.close)

    def _next(self) -> bytes | None:
        block = self._session.block()
        return self._body.add(block) if block else None

    def _exception(self, message: str) -> bytes:
        mark = f"{message}\n"
        begin, end = f"\r\n__exception__\r\n{self._tag}\r\n", f" {self._tag}\r\n__exception__\r\n"
        return f"{begin}{mark}{len(mark.encode())}{end}".encode()


async def send_body(send: Send, body: bytes, last: bool = False) -> None:
    """Send a piece of a body."""
    await send({"type": "http.response.body", "body": body, "more_body": not last})


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
