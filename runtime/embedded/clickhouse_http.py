"""ClickHouse's HTTP interface as a Starlette application over the engine.

Served: GET and POST `/` with `query`, `database`, `default_format`, `param_*`, any setting; the query's
continuation or an INSERT's data in the body; `/ping`, `/replicas_status`. Not served: sessions (`session_id`
is ignored: no temporary tables), external data in multipart bodies, `decompress=1`, more than one user.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.embedded.clickhouse_errors import AUTHENTICATION_FAILED, status_of
from runtime.embedded.clickhouse_reply import Blocks, first_block, reply_headers, whole
from runtime.embedded.clickhouse_request import Call, gather, passwords, read_body, read_call
from runtime.embedded.engine import BLOCKWISE, STREAMING_NOT_SUPPORTED, Engine, EngineError, Session
from runtime.embedded.statement import Query, parse_insert, parse_query

THREADS = 64
HEAD_BYTES = 1024 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class Interface:
    """The application's state: the engine, its threads and the password ("" lets everyone in)."""

    def __init__(self, engine: Engine, password: str) -> None:
        self._engine = engine
        self._password = password
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a blocking function in one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))

    async def ping(self, _: Request) -> Response:
        """Answer without touching the engine, as ClickHouse does."""
        return PlainTextResponse("Ok.\n")

    async def handle(self, request: Request) -> Response:
        """Run one statement."""
        body = read_body(request)
        if not self._let_in(request):
            text = "Code: 516. DB::Exception: Authentication failed: password is incorrect"
            return await self._refuse(body, AUTHENTICATION_FAILED, text + ". (AUTHENTICATION_FAILED)")
        call = read_call(request)
        session: Session | None = None
        try:
            session = await self.run(self._open, call)
            response = await self._answer(body, call, session)
        except EngineError as error:
            await self._close(session)
            return await self._refuse(body, error.code, str(error))
        except UnicodeDecodeError:
            await self._close(session)
            return await self._refuse(
                body, 62, "Code: 62. DB::Exception: The query is not UTF-8. (SYNTAX_ERROR)"
            )
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody reads it
        if not isinstance(response, Blocks):
            await self._close(session)
        return response

    def _open(self, call: Call) -> Session:
        session = self._engine.session()
        try:
            if call.database:
                session.use(call.database)
            session.set(call.settings)
        except EngineError:
            session.close()
            raise
        return session

    async def _close(self, session: Session | None) -> None:
        if session is not None:
            await self.run(session.close)

    async def _answer(self, body: AsyncIterator[bytes], call: Call, session: Session) -> Response:
        text = call.query.encode() + (b"\n" if call.query else b"")
        insert = parse_insert(text)
        async for piece in body:
            text += piece
            insert = parse_insert(text) if len(text) <= HEAD_BYTES else insert
            if insert is not None:
                break
        insert = insert or parse_insert(text, whole=True)
        if insert is None:
            return await self._query(call, session, text)
        await self.run(session.insert, insert.head, insert.data_format)
        await self.run(session.append, text[insert.start :])
        async for piece in gather(body):
            await self.run(session.append, piece)
        await self.run(session.finish)
        return Response(headers=reply_headers(call.query_id, "", session.progress))

    async def _query(self, call: Call, session: Session, text: bytes) -> Response:
        query = parse_query(text)
        refuse_what_a_server_refuses(query)
        sql, data_format = text.decode(), query.data_format or call.default_format
        if data_format in BLOCKWISE and query.first_word in ("SELECT", "WITH"):
            try:
                begin = await self.run(first_block, session, sql, query, data_format, call.parameters)
                headers = reply_headers(call.query_id, data_format, session.progress)
                return Blocks(session, begin, headers, call.encoding, self.run)
            except EngineError as error:
                if STREAMING_NOT_SUPPORTED not in str(error):
                    raise
        data = await self.run(session.query, sql, data_format, call.parameters)
        return whole(data, reply_headers(call.query_id, data_format, session.progress), call.encoding)

    async def _refuse(self, body: AsyncIterator[bytes], code: int, message: str) -> Response:
        async for _ in body:
            pass  # a client that still writes would not read the answer
        headers = {"X-ClickHouse-Exception-Code": str(code)}
        return PlainTextResponse(message + "\n", status_code=status_of(code), headers=headers)

    def _let_in(self, request: Request) -> bool:
        return not self._password or any(
            hmac.compare_digest(offered.encode(), self._password.encode()) for offered in passwords(request)
        )


def refuse_what_a_server_refuses(query: Query) -> None:
    """Raise the errors of ClickHouse's HTTP interface for what the engine in itself would do."""
    if query.several or not query.first_word:
        what = "Multi-statements are not allowed" if query.several else "Empty query"
        raise EngineError(f"Code: 62. DB::Exception: {what}. (SYNTAX_ERROR)")
    if query.outfile:
        raise EngineError("Code: 358. DB::Exception: INTO OUTFILE is not allowed. (INTO_OUTFILE_NOT_ALLOWED)")


def application(engine: Engine, password: str) -> Starlette:
    """Return the ASGI application; it closes the engine when it is shut down."""
    interface = Interface(engine, password)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        engine.close()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/ping", interface.ping),
            Route("/replicas_status", interface.ping),
            Route("/", interface.handle, methods=["GET", "POST"]),
        ],
    )
