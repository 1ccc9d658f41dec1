"""The two services as things that are started, stopped, killed and frozen: by the tests and by chaos."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from runtime.embedded.plan import clickhouse_environment, python_module
from runtime.embedded.process import end, free_port, http_answers, kafka_answers, spawn, wait_until
from runtime.tls import speaks_tls

START_SECONDS = 60.0
STOP_SECONDS = 30.0


class Server:
    """A service in a process of its own: the shape that Broker and ClickHouse share.

    Ports and data stay the same over `start`, `stop` and `kill`. Not thread-safe; start it from the main
    thread (see `spawn`).
    """

    def __init__(
        self, name: str, data: Path, arguments: list[str], env: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.log = data / f"{name}.log"
        self._argv = python_module(f"runtime.embedded.{name}", "--data", str(data), *arguments)
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        """True if the service answers a request now."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The process id of what was last started; 0 if nothing runs."""
        return self._process.pid if self._process is not None else 0

    def start(self, timeout: float = START_SECONDS) -> Self:
        """Start it and return when it answers.

        Raises:
            PraetorError: it ended or did not answer in `timeout` seconds; with the end of its log.
        """
        self._process = spawn(self._argv, self.log, self._env)
        wait_until(self.answers, self._process, self.log, timeout)
        return self

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """Stop it in good order (SIGTERM); nothing happens if it does not run."""
        if self._process is not None:
            end(self._process, patience)
            self._process = None

    def kill(self) -> None:
        """Kill it (SIGKILL), as a power cut of the process would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it from running without ending it (SIGSTOP): peers see silence, not a closed connection."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run again after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Broker(Server):
    """The Kafka broker; clients connect to `bootstrap`. `more` are options of runtime.embedded.kafka."""

    def __init__(
        self,
        data: Path,
        port: int = 0,
        controller_port: int = 0,
        heap_mb: int = 512,
        more: Sequence[str] = (),
    ) -> None:
        self.port = port or free_port()
        controller = controller_port or free_port(but=self.port)
        self.bootstrap = f"127.0.0.1:{self.port}"
        ports = ["--port", str(self.port), "--controller-port", str(controller)]
        super().__init__("kafka", data, [*ports, "--heap-mb", str(heap_mb), *more])

    def answers(self) -> bool:
        """True if the broker answers an ApiVersions request."""
        return kafka_answers(self.port)


class ClickHouse(Server):
    """The ClickHouse engine behind its HTTP interface at `url`; without a password everyone is let in.

    With a `certificate` (PEM of key and certificate) it speaks TLS.
    """

    def __init__(
        self, data: Path, port: int = 0, password: str = "", certificate: Path | None = None
    ) -> None:
        self.port = port or free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._certificate = certificate
        arguments = ["--port", str(self.port)]
        arguments += ["--certificate", str(certificate)] if certificate else []
        super().__init__("clickhouse", data, arguments, clickhouse_environment(password))

    def answers(self) -> bool:
        """True if the engine answers a ping."""
        if self._certificate is not None:
            return speaks_tls("127.0.0.1", self.port)
        return http_answers(self.port)
