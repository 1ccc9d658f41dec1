"""Tokens that nobody signed, which the secured broker takes, and an endpoint that gives them."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs


def token(life: float, user: str = "govern") -> str:
    """A token of a user, for so many seconds."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": user, "iat": now - 7200, "exp": now + life})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join(encoded) + "."


class Endpoint(HTTPServer):
    """Knows the client `me`, whose secret is `hush`, and counts who asks."""

    def __init__(self, user: str) -> None:
        self.user, self.asked = user, 0
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        login = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        known = login == "me:hush" and form == {"grant_type": ["client_credentials"], "scope": ["kafka"]}
        self.server.asked += 1
        self.send_response(200 if known else 401)
        self.end_headers()
        given = {"access_token": token(3600, self.server.user), "expires_in": 3600}
        self.wfile.write(json.dumps(given if known else {"error": "invalid_client"}).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def token_endpoint(user: str = "govern") -> Iterator[Endpoint]:
    """Serve while the block runs."""
    server = Endpoint(user)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
