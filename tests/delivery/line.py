"""The line between us and a destination: a TCP proxy that is cut, silent or slow when told to."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 1 << 14
RESET = struct.pack("ii", 1, 0)


class Line:
    """Passes bytes on. Connections that come while it is `silent` are accepted and never served."""

    def __init__(self, target: int, context: ssl.SSLContext | None = None) -> None:
        """Take where it leads; with a context it speaks TLS to whoever comes, and none to the target."""
        self.context = context
        self.port = 0
        self.target = target
        self.silent = False
        self.delay = 0.0
        self.cut_answers = 0
        self.cut_requests = 0
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Line"]:
        await self.up()
        try:
            yield self
        finally:
            await self.down()

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Nobody listens any more, and what was open is reset."""
        if self._server is not None:
            self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            if self.silent:
                await asyncio.Event().wait()
            there, upstream = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(upstream)
            await asyncio.gather(self._up(reader, upstream), self._down(there, writer))
        except OSError:
            pass
        except _Cut:
            for (
                end
            ) in writers:  # as where a process dies with data that it has not read: the other side is reset
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        finally:
            for end in writers:
                end.transport.abort()
            await asyncio.sleep(0)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self.cut_requests:
                self.cut_requests -= 1
                raise _Cut
            await asyncio.sleep(self.delay)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self.cut_answers:
                self.cut_answers -= 1
                raise _Cut
            writer.write(data)
            await writer.drain()
        if self.cut_answers:
            self.cut_answers -= 1
            raise _Cut
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()


class _Cut(Exception):
    """The line is cut."""
