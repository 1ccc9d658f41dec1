"""Requests of ClickHouse's HTTP interface: parameters, passwords, bodies."""

import asyncio
import uuid
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request

from runtime.embedded.clickhouse_errors import CANNOT_DECOMPRESS, UNKNOWN_COMPRESSION_METHOD
from runtime.embedded.compression import choose, decompress
from runtime.embedded.engine import EngineError

PIECE_BYTES = 1024 * 1024

# Parameters of the interface itself; every other one is a setting.
OWN_PARAMETERS = frozenset(
    "query database default_format user password session_id session_timeout session_check query_id quota_key"
    " compress decompress buffer_size wait_end_of_query client_protocol_version role stacktrace"
    " enable_http_compression close_session".split()
)


@dataclass(frozen=True)
class Call:
    """What a request asks for, taken from its parameters and headers."""

    database: str
    default_format: str
    parameters: dict[str, str]
    settings: dict[str, str]
    query: str
    query_id: str
    encoding: str


def read_call(request: Request) -> Call:
    """Return what the parameters ask for; GET implies readonly=2, as in ClickHouse."""
    given = dict(request.query_params)
    settings = {k: v for k, v in given.items() if k not in OWN_PARAMETERS and not k.startswith("param_")}
    if request.method == "GET":
        settings.setdefault("readonly", "2")
    compress = given.get("enable_http_compression", "0") not in ("0", "")
    named = request.headers.get("X-ClickHouse-Format") or given.get("default_format")
    return Call(
        database=given.get("database") or request.headers.get("X-ClickHouse-Database", ""),
        default_format=named or "TabSeparated",
        parameters={k.removeprefix("param_"): v for k, v in given.items() if k.startswith("param_")},
        settings=settings,
        query=given.get("query", ""),
        query_id=given.get("query_id") or str(uuid.uuid4()),
        encoding=choose(request.headers.get("Accept-Encoding", "")) if compress else "",
    )


def passwords(request: Request) -> list[str]:
    """Return the passwords that a request offers, in whichever of ClickHouse's ways."""
    kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
    offered = [request.headers.get("X-ClickHouse-Key", ""), request.query_params.get("password", "")]
    if kind.lower() == "bearer":
        offered.append(credentials.strip())
    if kind.lower() == "basic":
        try:
            offered.append(b64decode(credentials).decode().partition(":")[2])
        except ValueError:
            pass
    return offered


async def read_body(request: Request) -> AsyncIterator[bytes]:
    """Yield the body without its encoding; an encoded one is read whole first.

    Raises:
        EngineError: an encoding that is not known, or a body that is not of it.
    """
    encoding = request.headers.get("Content-Encoding", "").lower()
    if encoding in ("", "identity"):
        async for piece in request.stream():
            yield piece
        return
    try:
        yield await asyncio.to_thread(decompress, await request.body(), encoding)
    except KeyError as error:
        code, what = UNKNOWN_COMPRESSION_METHOD, f"Content-Encoding {encoding} is not known"
        raise EngineError(f"Code: {code}. DB::Exception: {what}. (UNKNOWN_COMPRESSION_METHOD)") from error
    except ValueError as error:
        raise EngineError(
            f"Code: {CANNOT_DECOMPRESS}. DB::Exception: {error}. (CANNOT_DECOMPRESS)"
        ) from error


async def gather(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join small pieces to some of about 1 MiB: each costs a change of thread."""
    joined: list[bytes] = []
    size = 0
    async for piece in pieces:
        joined.append(piece)
        size += len(piece)
        if size >= PIECE_BYTES:
            yield b"".join(joined)
            joined, size = [], 0
    if joined:
        yield b"".join(joined)
