"""Destinations as tests meet them: a receiver each, the settings to it, what has arrived."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.delivery.receiver import Answer, Receiver


class Remote(Protocol):
    """One destination. `port` is where it listens; a line may stand in between, which may speak TLS."""

    port: int
    secure: bool

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        """What a destination's `to` says."""
        ...

    def running(self) -> Any:
        """Serve within the block."""
        ...

    def arrived(self) -> Sequence[str]:
        """The ids of what was stored, in order, repetitions too."""
        ...


class Web:
    """What HTTP destinations have in common."""

    secure = False

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.receiver.judge = self.judge

    def at(self, port: int) -> str:
        """Its address by way of a port."""
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{port}"

    def judge(self, body: bytes) -> Answer:
        return Answer()

    def ids(self, body: bytes) -> Sequence[str]:
        """The ids of what one request brought."""
        raise NotImplementedError

    def arrived(self) -> Sequence[str]:
        return [name for post in self.receiver.stored for name in self.ids(post.body)]

    @property
    def port(self) -> int:
        return self.receiver.port

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.receiver.running():
            yield

    def tell(self, *statuses: int) -> None:
        """Answer with these, then well."""
        self.receiver.tell(*(Answer(s, {"retry-after": "0.2"} if s == 429 else {}) for s in statuses))


class Webhook(Web):
    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "webhook", "url": f"{self.at(port)}/in"}

    def ids(self, body: bytes) -> Sequence[str]:
        return [event["id"] for event in json.loads(body)["events"]]


class Splunk(Web):
    """HEC as its documentation has it: envelopes one after the other, and an acknowledgement asked for."""

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        token = secret(folder, "00000000-0000-0000-0000-000000000000")
        return {"type": "splunk_hec", "url": self.at(port), "token": token, "acknowledge": True}

    def judge(self, body: bytes) -> Answer:
        if body.startswith(b'{"acks"'):
            return Answer(body='{"acks": {"7": true}}', keeps=False)
        return Answer(body='{"text": "Success", "code": 0, "ackId": 7}')

    def ids(self, body: bytes) -> Sequence[str]:
        return [event["fields"]["praetor_id"] for event in documents(body)]


class Elastic(Web):
    """`_bulk` as its documentation has it: a document that is there already is a conflict."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[str, str] = {}
        self.busy = 0

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "elastic", "url": self.at(port)}

    def judge(self, body: bytes) -> Answer:
        lines = [json.loads(line) for line in body.splitlines()]
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            name = action["create"]["_id"]
            if self.busy:
                self.busy -= 1
                items.append(
                    {"create": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}
                )
                continue
            status = 409 if name in self.documents else 201
            self.documents.setdefault(name, document["id"])
            items.append({"create": {"status": status}})
        return Answer(body=json.dumps({"errors": False, "items": items}))

    def ids(self, body: bytes) -> Sequence[str]:
        return [json.loads(line)["id"] for line in body.splitlines()[1::2]]

    def arrived(self) -> Sequence[str]:
        return list(self.documents.values())


class Syslog:
    """A receiver of counted octets over TCP, or TLS where it is given a context."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.secure = context is not None
        self.messages: list[bytes] = []
        self._context = context

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "syslog", "host": "127.0.0.1", "port": port, "tls": self.secure}

    @contextmanager
    def running(self) -> Iterator[None]:
        remote = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                connection = self.request
                try:
                    if remote._context is not None:
                        connection = remote._context.wrap_socket(connection, server_side=True)
                    remote._read(connection)
                    if isinstance(connection, ssl.SSLSocket):
                        connection.unwrap()
                except OSError:
                    return
                finally:
                    connection.close()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with Server(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def _read(self, connection: Any) -> None:
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            while b" " in data:
                length, _, rest = data.partition(b" ")
                if len(rest) < int(length):
                    break
                self.messages.append(rest[: int(length)])
                data = rest[int(length) :]

    def arrived(self) -> Sequence[str]:
        return [json.loads(m[m.index(b"] ") + 2 :])["id"] for m in list(self.messages)]


class File:
    """The file itself."""

    port = 0
    secure = False

    def __init__(self) -> None:
        self._path = Path()

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        self._path = folder / "out" / "events.jsonl"
        return {"type": "file", "path": str(self._path), "max_mib": 1}

    @contextmanager
    def running(self) -> Iterator[None]:
        yield

    def arrived(self) -> Sequence[str]:
        files = sorted(self._path.parent.glob("*.jsonl"), key=lambda p: (p.name == self._path.name, p.name))
        return [json.loads(line)["id"] for file in files for line in file.read_bytes().splitlines()]


def secret(folder: Path, text: str, name: str = "secret") -> dict[str, str]:
    """A secret in a file, as settings name it."""
    path = folder / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return {"file": str(path)}


def documents(body: bytes) -> Iterator[Any]:
    """JSON values that stand one behind the other."""
    decoder, text, at = json.JSONDecoder(), body.decode(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value
