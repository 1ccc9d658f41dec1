"""What ClickHouse says of a grant that is missing reaches whoever can give it.

The embedded engine has no users, so the refusal alone is written here, in the words of ClickHouse
(src/Access/ContextAccess.cpp); all else goes to the real engine.
"""

import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.connection import connect, errors_of

REFUSED = (
    "Code: 497. DB::Exception: praetor_archive: Not enough privileges. To execute this query, it's necessary "
    "to have the grant SELECT(seq) ON praetor.leaves. (ACCESS_DENIED) (version 26.3.2.3 (official build))\n"
)


class Guarded(BaseHTTPRequestHandler):
    """Passes everything on, except what reads the leaves."""

    engine = ""

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._answer(None)

    def _answer(self, body: bytes | None) -> None:
        if body and b"leaves" in body:
            self._send(403, REFUSED.encode(), {"X-ClickHouse-Exception-Code": "497"})
            return
        asked = urllib.request.Request(self.engine + self.path, body)
        with urllib.request.urlopen(asked) as answer:
            said = {k: v for k, v in answer.headers.items() if k.lower().startswith(("x-", "content-type"))}
            self._send(answer.status, answer.read(), said)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told: object) -> None:
        """Nothing: the test says what it wants to see."""


@pytest.fixture
def guarded(clickhouse: str) -> Iterator[str]:
    handler = type("Handler", (Guarded,), {"engine": clickhouse})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_missing_grant_is_named_with_where_to_find_it(guarded: str) -> None:
    settings = Settings(clickhouse_url=guarded)
    client = connect(settings, "")
    told = r"the grant SELECT\(seq\) ON praetor\.leaves.*\(grants: deploy/clickhouse/grants\.sql\)"
    with pytest.raises(PraetorError, match=told), errors_of(settings):
        client.query("SELECT max(seq) FROM praetor.leaves")
    client.close()
