"""Google SecOps (Chronicle) by ImportLogs: base64 log lines of one log type, at most 4 MB a request.

Source: Google Cloud, "Ingestion methods" of the Chronicle API (`logs:import`, v1alpha), and "Using OAuth 2.0
for server to server applications" for the service account's own assertion.
"""

import base64
import json
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import PraetorError
from sinks.encoding import Encoding
from sinks.formats.words import iso, time_of
from sinks.http import Http, Outbound
from sinks.pieces import cut, send
from sinks.secret import Secret
from sinks.sink import Event, Outcome
from sinks.token import Token

MOST_BYTES = 4_000_000
LASTS_SECONDS = 3600
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JSON = {"content-type": "application/json"}
NAME = Annotated[str, Field(pattern=r"^[\w:.-]+$")]


class SecopsSettings(BaseModel):
    """The instance, the forwarder and log type under which lines come in, a service account's key (JSON)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["secops"]
    project: NAME
    location: NAME
    instance: NAME
    forwarder: NAME
    log_type: NAME = "OCSF"
    service_account: Secret
    url: Annotated[str, Field(pattern=r"^(https?://[^/\s]+)?$")] = ""


class SecopsSink:
    """A line an event. Google drops a request whose very content it has had; else see the id in the line."""

    def __init__(self, settings: SecopsSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: the service account's key is not there, or is none.
        """
        self._secret = settings.service_account
        base = settings.url or f"https://{settings.location}-chronicle.googleapis.com"
        instance = f"projects/{settings.project}/locations/{settings.location}/instances/{settings.instance}"
        self._url = f"{base}/v1alpha/{instance}/logTypes/{settings.log_type}/logs:import"
        self._forwarder = f"{instance}/forwarders/{settings.forwarder}"
        self._encoding = encoding
        self._http = Http(outbound, {})
        self._token = Token(self._http, str(self._key()["token_uri"]), self._form)

    def _key(self) -> dict[str, Any]:
        try:
            key: dict[str, Any] = json.loads(str(self._secret.read("SecOps' service_account")))
            _ = key["client_email"], key["private_key"], key["token_uri"]
        except (ValueError, KeyError, TypeError) as error:
            raise PraetorError(
                "SecOps' service_account is no service account's key: JSON with client_email, private_key and"
                " token_uri was expected"
            ) from error
        return key

    def _form(self) -> dict[str, str]:
        return {"grant_type": GRANT, "assertion": assertion(self._key(), round(time.time()))}

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch, in as many requests as the API's limit asks for.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        logs = [self._log(event) for event in events]
        head = f'{{"inlineSource":{{"forwarder":{json.dumps(self._forwarder)},"logs":['.encode()

        async def post(piece: range) -> None:
            body = head + b",".join(logs[i] for i in piece) + b"]}}"
            try:
                await self._http.post(self._url, body, {**JSON, **await self._token.header()})
            except PraetorError:
                self._token.forget()
                raise

        return await send(cut(logs, MOST_BYTES, len(logs)), post)

    def _log(self, event: Event) -> bytes:
        at = iso(time_of(event))
        data = base64.b64encode(self._encoding.line(event)).decode()
        return json.dumps({"data": data, "logEntryTime": at, "collectionTime": at}).encode()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def assertion(key: dict[str, Any], now: int) -> str:
    """What a service account says of itself: a JWT of an hour, signed by its key (RFC 7519, RS256).

    Raises:
        PraetorError: the private key is no RSA key.
    """
    try:
        private = serialization.load_pem_private_key(key["private_key"].encode(), None)
    except (ValueError, TypeError, AttributeError) as error:
        raise PraetorError(f"SecOps' service_account: private_key is no key: {error}") from error
    if not isinstance(private, rsa.RSAPrivateKey):
        raise PraetorError("SecOps' service_account: private_key is no RSA key")
    head = {"alg": "RS256", "typ": "JWT", "kid": key.get("private_key_id", "")}
    claims = {
        "iss": key["client_email"],
        "scope": SCOPE,
        "aud": key["token_uri"],
        "iat": now,
        "exp": now + LASTS_SECONDS,
    }
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
    signature = private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
