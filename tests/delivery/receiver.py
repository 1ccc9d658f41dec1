"""A real HTTP receiver that behaves as it is told: well, slowly, or badly."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

START_SECONDS = 10.0


@dataclass
class Answer:
    """One answer; `delay` seconds before it, `keeps` whether what came counts as stored."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | bytes = ""
    delay: float = 0.0
    keeps: bool = True


@dataclass
class Post:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


class Receiver:
    """Answers in turn what it was told to, then well; keeps every request, and what it stored."""

    def __init__(self, answers: Iterable[Answer] = ()) -> None:
        self.posts: list[Post] = []
        self.stored: list[Post] = []
        self._answers: Iterator[Answer] = iter(answers)
        self.judge: Callable[[bytes], Answer] = lambda body: Answer()
        self.port = 0

    def tell(self, *answers: Answer) -> None:
        """Answer so from now on, then well."""
        self._answers = iter(answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    def events(self) -> list[Any]:
        """The events of all stored webhook posts, in order."""
        return [event for post in self.stored for event in json.loads(post.body)["events"]]

    async def _answer(self, request: Request) -> Response:
        post = Post(request.url.path, dict(request.headers), await request.body(), time.monotonic())
        self.posts.append(post)
        answer = next(self._answers, None) or self.judge(post.body)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.keeps and 200 <= answer.status < 300:
            self.stored.append(post)
        return Response(answer.body, answer.status, answer.headers)

    @contextmanager
    def running(self, port: int = 0, **more: Any) -> Iterator["Receiver"]:
        """Serve within the block; a port of 0 is chosen."""
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["POST", "PUT", "GET"])])
        listening = socket.create_server(("127.0.0.1", port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, **more
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        began = time.monotonic()
        while not server.started and time.monotonic() - began < START_SECONDS:
            time.sleep(0.01)
        try:
            yield self
        finally:
            server.should_exit = True
            thread.join()
            listening.close()
