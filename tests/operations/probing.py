"""A worker as a process with its health served; asked over HTTP, as a container platform asks."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runtime.embedded.process import free_port, spawn, tail

GOVERN = ("-m", "cli.main", "govern")
PATIENCE_SECONDS = 90.0


class Worker:
    """A process that serves its health on `port`. At the end of the block it is gone."""

    def __init__(self, log: Path, env: dict[str, str], *words: str) -> None:
        self.port = free_port()
        self.log = log
        self._env = {**env, "PRAETOR_METRICS_PORT": str(self.port)}
        self._argv = [sys.executable, *words]
        self.process: subprocess.Popen[bytes]

    def ask(self, path: str) -> tuple[int, Any]:
        """Status and body of a GET; status 0 where nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, error.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return 0, {}
        return status, body.decode() if path == "/metrics" else json.loads(body)

    def until(self, path: str, wanted: Callable[[int, Any], bool]) -> Any:
        """Ask until the answer is as wanted; return its body."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, body = self.ask(path)
            if status and wanted(status, body):
                return body
            assert time.monotonic() < deadline, (path, status, body, tail(self.log))
            assert self.process.poll() is None, tail(self.log)
            time.sleep(0.05)

    def ready(self) -> Any:
        """Wait until it is ready; return the body."""
        return self.until("/readyz", lambda status, _: status == 200)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.ask("/metrics")[1].splitlines()
        found = [line.rpartition(" ") for line in lines if line.startswith((name + " ", name + "{"))]
        assert found, name
        return sum(float(value) for _, _, value in found)

    def events(self) -> list[dict[str, Any]]:
        """Its log: every line must be a JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def __enter__(self) -> Self:
        self.process = spawn(self._argv, self.log, self._env)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()


def listening() -> socket.socket:
    """A socket that listens on a port of 127.0.0.1."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server
