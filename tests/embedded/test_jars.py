"""The broker's jars, fetched from a Maven repository of the test's own."""

import gc
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runtime.embedded.download import fetch_jars
from runtime.embedded.jars import Jar, missing_jars, pinned_jars
from runtime.errors import PraetorError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "remote").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "remote"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        (tmp_path / "remote" / "url").write_text(f"http://127.0.0.1:{server.server_port}")
        yield tmp_path / "remote"
        server.shutdown()


def publish(remote: Path, name: str, content: bytes) -> Jar:
    jar = Jar(f"org.example:{name}:1.0", len(content), hashlib.sha256(content).hexdigest())
    jar.path(remote).parent.mkdir(parents=True)
    jar.path(remote).write_bytes(content)
    return jar


def fetch(jars: list[Jar], remote: Path, local: Path) -> int:
    arrived: list[int] = []
    fetch_jars(tuple(jars), local, arrived.append, url=(remote / "url").read_text())
    return sum(arrived)


def test_only_what_is_missing_or_damaged_is_fetched(remote: Path, tmp_path: Path) -> None:
    jars = [publish(remote, f"jar{n}", b"%d" % n * 1000) for n in range(20)]
    assert fetch(jars, remote, tmp_path / "local") == 30_000
    assert missing_jars(jars, tmp_path / "local") == ()
    assert fetch(jars, remote, tmp_path / "local") == 0
    jars[3].path(tmp_path / "local").write_bytes(b"cut sh")
    assert missing_jars(jars, tmp_path / "local") == (jars[3],)
    assert fetch(jars, remote, tmp_path / "local") == 1000


def test_another_file_than_the_pinned_one_is_refused(remote: Path, tmp_path: Path) -> None:
    jar = publish(remote, "jar", b"genuine")
    jar.path(remote).write_bytes(b"tampered")
    with pytest.raises(PraetorError, match=r"org\.example:jar:1\.0 .* is not the pinned file"):
        fetch([jar], remote, tmp_path / "local")
    assert not jar.path(tmp_path / "local").exists()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # jgo leaves the reply of a 404 open
def test_a_file_that_is_nowhere_is_one_clear_error(remote: Path, tmp_path: Path) -> None:
    jar = Jar("org.example:none:1.0", 1, "0" * 64)
    with pytest.raises(PraetorError, match=r"cannot bring org\.example:none:1\.0 .* --bootstrap"):
        fetch([jar], remote, tmp_path / "local")
    gc.collect()


def test_the_pinned_list_is_whole() -> None:
    jars = pinned_jars()
    assert any(jar.coordinates == "org.apache.kafka:kafka_2.13:4.3.1" for jar in jars)
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)
    assert len({jar.coordinates.rpartition(":")[0] for jar in jars}) == len(jars)
