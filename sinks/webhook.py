"""A webhook: JSON by POST, signed as Standard Webhooks 1.0 says (github.com/standard-webhooks)."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.secrets import Revealed
from sinks.encoding import Encoding
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import DELIVERED, Event, Outcome


class WebhookSettings(BaseModel):
    """The address; a secret to sign with; further headers, whose values are secrets."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["webhook"]
    url: str = Field(pattern=r"^https?://\S+$")
    secret: Secret | None = None
    headers: dict[str, Secret] = Field(default_factory=dict)


class WebhookSink:
    """Posts `{"events": [...]}`. `webhook-id` is the same for the same events, however often they are sent.

    The signature is HMAC-SHA256 over `id.timestamp.body`, base64, with the prefix `v1,`; a secret that begins
    with `whsec_` is base64 behind it, any other is taken as it is.
    """

    def __init__(self, settings: WebhookSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: a secret is not there.
        """
        self._url = settings.url
        self._encoding = encoding
        self._secret = key_of(settings.secret.read("webhook's secret")) if settings.secret else b""
        headers = {name: secret.read(f"webhook's header {name}") for name, secret in settings.headers.items()}
        self._http = Http(outbound, headers)

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Post the events; any answer of success says that all were taken.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        body = json.dumps(
            {"events": [self._encoding.document(e) for e in events]}, separators=(",", ":")
        ).encode()
        delivery = hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:32]
        await self._http.post(self._url, body, signed(self._secret, delivery, int(time.time()), body))
        return DELIVERED

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def key_of(secret: Revealed) -> bytes:
    """The key's bytes, as Standard Webhooks writes secrets."""
    text = str(secret)
    return base64.b64decode(text[6:]) if text.startswith("whsec_") else text.encode()


def signed(key: bytes, delivery: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """The headers of a delivery; without a key there is no signature."""
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
    }
    if key:
        digest = hmac.new(key, f"{delivery}.{seconds}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    return headers
