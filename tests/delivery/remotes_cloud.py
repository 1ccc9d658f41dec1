"""Receivers of cloud services as their documentation has them: they check what they are sent."""

import base64
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as service

from tests.delivery.receiver import Answer
from tests.delivery.remotes import Web, secret

TOKEN = Answer(body='{"access_token": "t0ken", "expires_in": 3600, "token_type": "Bearer"}', keeps=False)


class Datadog(Web):
    """An array of entries, by the key of the intake."""

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "datadog", "url": self.at(port), "api_key": secret(folder, "k")}

    def judge(self, body: bytes) -> Answer:
        entries = json.loads(gzip.decompress(body))
        taken = isinstance(entries, list) and len(entries) <= 1000
        return Answer(202 if taken else 400, body="{}")

    def ids(self, body: bytes) -> Sequence[str]:
        return [entry["praetor_id"] for entry in json.loads(gzip.decompress(body))]


class Sentinel(Web):
    """A token first, then arrays of at most 1 MB."""

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {
            "type": "sentinel",
            "endpoint": self.at(port),
            "login": self.at(port),
            "rule_id": "dcr-00000000000000000000000000000000",
            "stream": "Custom-Praetor_CL",
            "tenant_id": "11111111-1111-1111-1111-111111111111",
            "client_id": "22222222-2222-2222-2222-222222222222",
            "client_secret": secret(folder, "s3cret"),
        }

    def judge(self, body: bytes) -> Answer:
        if body.startswith(b"grant_type="):
            return TOKEN
        return Answer(204 if len(gzip.decompress(body)) <= 1 << 20 else 413)

    def ids(self, body: bytes) -> Sequence[str]:
        return [event["EventId"] for event in json.loads(gzip.decompress(body))]


class Secops(Web):
    """A service account's assertion, whose signature is checked; then lines in base64."""

    def __init__(self) -> None:
        super().__init__()
        self._key = rsa.generate_private_key(65537, 2048)

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key = {"client_email": "praetor@p.iam.gserviceaccount.com", "private_key": pem.decode()}
        key["token_uri"] = f"{self.at(port)}/token"
        return {
            "type": "secops",
            "url": self.at(port),
            "project": "p",
            "location": "eu",
            "instance": "i",
            "forwarder": "f",
            "service_account": secret(folder, json.dumps(key)),
        }

    def judge(self, body: bytes) -> Answer:
        if body.startswith(b"grant_type="):
            head, claims, signature = parse_qs(body.decode())["assertion"][0].split(".")
            signed = f"{head}.{claims}".encode()
            self._key.public_key().verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
            return TOKEN
        logs = json.loads(body)["inlineSource"]["logs"]
        return Answer(200 if all(log["logEntryTime"] for log in logs) else 400, body="{}")

    def ids(self, body: bytes) -> Sequence[str]:
        logs = json.loads(body)["inlineSource"]["logs"]
        return [json.loads(base64.b64decode(log["data"]))["id"] for log in logs]


class Otlp(Web):
    """OTLP/HTTP, parsed by OpenTelemetry's own messages; `poison` is rejected by a partial success."""

    poison = ""

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "otlp", "url": f"{self.at(port)}/v1/logs"}

    def judge(self, body: bytes) -> Answer:
        said = service.ExportLogsServiceResponse()
        if self.poison and self.poison in self.ids(body):
            said.partial_success.rejected_log_records = 1
            said.partial_success.error_message = "cannot map it"
        return Answer(body=said.SerializeToString(), headers={"content-type": "application/x-protobuf"})

    def ids(self, body: bytes) -> Sequence[str]:
        request = service.ExportLogsServiceRequest.FromString(gzip.decompress(body))
        records = [r for of in request.resource_logs for s in of.scope_logs for r in s.log_records]
        return [a.value.string_value for r in records for a in r.attributes if a.key == "praetor.id"]

    def arrived(self) -> Sequence[str]:
        return [name for name in super().arrived() if name != self.poison]


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
