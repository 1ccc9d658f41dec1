"""/livez, /readyz and /metrics over HTTP, in a thread of its own: a loop that stands still can be seen."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from runtime import metrics
from runtime.errors import PraetorError
from runtime.health import Facts, Health

CLIENT_SECONDS = 5.0


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    timeout = CLIENT_SECONDS  # a client that says nothing holds its thread no longer
    protocol_version = "HTTP/1.1"
    server_version = "praetor"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._send(200, CONTENT_TYPE_LATEST, generate_latest())
        elif path == "/livez":
            self._send_json(*self.server.health.live())
        elif path == "/readyz":
            self._send_json(*self.server.health.ready())
        else:
            self._send(404, "text/plain; charset=utf-8", b"there are /livez, /readyz and /metrics\n")

    def _send_json(self, well: bool, body: Facts) -> None:
        text = json.dumps(body, indent=1, ensure_ascii=False) + "\n"
        self._send(200 if well else 503, "application/json; charset=utf-8", text.encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Probes come every second: they are not logged."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # on Linux this only passes over connections that are being closed, never over a listener
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], health: Health) -> None:
        self.health = health
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nobody's concern."""


@contextmanager
def endpoint(health: Health, host: str, port: int) -> Iterator[int]:
    """Serve while the block runs; yields the port. Port 0 serves nothing.

    Raises:
        PraetorError: the port is in use, or the address is none of this machine's.
    """
    if not port:
        yield 0
        return
    try:
        server = _Server((host, port), health)
    except OSError as error:
        raise PraetorError(
            f"cannot serve health and metrics at {host}:{port}: {error.strerror or error}. End what listens "
            "there, or choose another port with PRAETOR_METRICS_PORT (0: none) and another address with "
            "PRAETOR_METRICS_HOST"
        ) from error
    metrics.LOOP_AGE.set_function(health.beat_age)
    thread = threading.Thread(target=server.serve_forever, name="endpoint", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
