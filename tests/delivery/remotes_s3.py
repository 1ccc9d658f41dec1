"""A real S3 server (moto's), which also answers badly when it is told to."""

import gzip
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.delivery.remotes import secret

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it prints every request

START = Callable[..., Any]


class S3:
    """A bucket of its own."""

    def __init__(self, file: str = "jsonl") -> None:
        self.port = 0
        self.secure = False
        self.bucket = f"praetor-{uuid4().hex}"
        self._file = file
        self._statuses: list[int] = []
        self._app = DomainDispatcherApplication(create_backend_app)

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {
            "type": "s3",
            "endpoint": f"{'https' if self.secure else 'http'}://127.0.0.1:{port}",
            "bucket": self.bucket,
            "region": "eu-central-1",
            "file": self._file,
            "account": "123456789012",
            "access_key": secret(folder, "AKIAIOSFODNN7EXAMPLE", "access"),
            "secret_key": secret(folder, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "key"),
        }

    def tell(self, *statuses: int) -> None:
        """Answer puts with these, then well."""
        self._statuses = list(statuses)

    def _answer(self, environ: dict[str, Any], start: START) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].count("/") > 1 and self._statuses:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status = self._statuses.pop(0)
            start(f"{status} Told", [("content-length", "0"), ("retry-after", "0.2")])
            return [b""]
        return self._app(environ, start)

    @contextmanager
    def running(self) -> Iterator[None]:
        server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.port = server.port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            self.client().create_bucket(
                Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def client(self) -> Any:
        """AWS's own client."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-central-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

    def objects(self) -> dict[str, bytes]:
        """Everything in the bucket."""
        client = self.client()
        found = client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {o["Key"]: client.get_object(Bucket=self.bucket, Key=o["Key"])["Body"].read() for o in found}

    def arrived(self) -> Sequence[str]:
        """In the order of offsets: objects have none."""
        files = [gzip.decompress(data) for data in self.objects().values()]
        lines = [json.loads(line) for file in files for line in file.splitlines()]
        return [line["id"] for line in sorted(lines, key=lambda line: line["kafka"]["offset"])]
