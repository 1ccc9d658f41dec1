"""The thread that sends: an event loop of its own, so that nobody's loop or thread waits for Kafka."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any, Callable

from praetor.sender import Sender

log = logging.getLogger("praetor")
STOP_SECONDS = 5.0


class _Loop(asyncio.SelectorEventLoop):
    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        """Look a name up in this thread: at the interpreter's exit there are no others to be had."""
        return socket.getaddrinfo(host, port, **more)


class Worker:
    """Starts at the first need; `make` builds the sender, in the thread."""

    def __init__(self, make: Callable[[], Sender]) -> None:
        self._make = make
        self._sender: Sender | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self.started = False

    def start(self) -> None:
        """Start sending; nothing happens where it is started."""
        with self._starting:
            if self.started:
                return
            self._thread = threading.Thread(target=self._main, name="praetor-sdk", daemon=True)
            self._thread.start()
            self.started = True

    def stop(self) -> None:
        """Cut connections and end the thread."""
        if self._thread is None or not self._ready.wait(STOP_SECONDS):
            return
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)

    @property
    def sender(self) -> Sender | None:
        """The sender, once started."""
        return self._sender

    def _main(self) -> None:
        loop = _Loop()
        loop.set_exception_handler(_tell)
        try:
            loop.run_until_complete(self._serve())
        finally:
            loop.close()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._sender = sender = self._make()
        self._ready.set()
        sending = asyncio.ensure_future(sender.run())
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({sending, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and sending.exception() is not None:
            sender.error = str(sending.exception())
            log.error("sending stopped: its events stay unsent", exc_info=sending.exception())
        sending.cancel()
        await sender.close()
        await _cancel_all()


async def _cancel_all() -> None:
    """End whatever still runs in this loop; a producer's tasks wait for each other, so ask twice."""
    for _ in range(2):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=1)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The Kafka client leaves futures of given-up batches behind: what they say was told already."""
    log.debug("in the sending loop: %s %r", context.get("message"), context.get("exception"))
