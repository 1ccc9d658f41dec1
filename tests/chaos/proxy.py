"""Stands between the archive and ClickHouse, and loses answers when told to."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

CHUNK = 1 << 16


class Proxy:
    """Passes bytes on. `lose` has it drop the answer to the next insert, which is applied all the same."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._lose: Callable[[], None] | None = None
        self._times = 0
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def lose(self, then: Callable[[], None], times: int = 1) -> None:
        """Lose the answers of the next inserts; `then` is called at the last one's moment.

        The client sends a request a second time by itself: only two lost answers are an error to its caller.
        """
        self._lose, self._times = then, times

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inserting = asyncio.Event()
        writers = [writer]
        try:
            with suppress(OSError):
                there, upstream = await asyncio.open_connection("127.0.0.1", self._target)
                writers.append(upstream)
                ways = (self._up(reader, upstream, inserting), self._down(there, writer, inserting))
                tasks = [asyncio.create_task(way) for way in ways]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for end in writers:
                end.transport.abort()
            await asyncio.sleep(0)

    async def _up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inserting: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if data.startswith(b"POST"):
                    inserting.clear()
                    if b"INSERT" in data.partition(b"\r\n")[0].upper():
                        inserting.set()
                writer.write(data)
                await writer.drain()

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inserting: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if self._lose is not None and inserting.is_set():
                    self._times -= 1
                    if not self._times:
                        then, self._lose = self._lose, None
                        then()
                    return
                writer.write(data)
                await writer.drain()
