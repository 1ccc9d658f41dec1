"""Microsoft Sentinel by the Logs Ingestion API: JSON arrays of at most 1 MB into a stream of a rule.

Source: Microsoft Learn, "Logs Ingestion API in Azure Monitor", api-version 2023-01-01; its service limits.
"""

import gzip
import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import PraetorError
from sinks.encoding import Encoding
from sinks.formats.words import iso, time_of
from sinks.http import Http, Outbound
from sinks.pieces import cut, send
from sinks.secret import Secret
from sinks.sink import Event, Outcome
from sinks.token import Token

MOST_BYTES = 1_000_000
SCOPE = "https://monitor.azure.com/.default"
HEADERS = {"content-type": "application/json", "content-encoding": "gzip"}


class SentinelSettings(BaseModel):
    """The endpoint of logs ingestion, the rule's immutable id, its stream, the application that may write."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["sentinel"]
    endpoint: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]
    rule_id: Annotated[str, Field(pattern=r"^dcr-[0-9a-zA-Z]+$")]
    stream: Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*$")]
    tenant_id: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    client_id: Annotated[str, Field(pattern=r"^[\w-]+$")]
    client_secret: Secret
    login: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] = "https://login.microsoftonline.com"


class SentinelSink:
    """`TimeGenerated`, `EventId` and `Kind` stand beside the event's own fields, for the rule to transform.

    Sentinel stores a repetition again: see `EventId`.
    """

    def __init__(self, settings: SentinelSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: the secret is not there.
        """
        settings.client_secret.read("Sentinel's client_secret")
        path = f"/dataCollectionRules/{settings.rule_id}/streams/{settings.stream}?api-version=2023-01-01"
        self._url = settings.endpoint + path
        self._settings = settings
        self._encoding = encoding
        self._http = Http(outbound, {})
        login = f"{settings.login}/{settings.tenant_id}/oauth2/v2.0/token"
        self._token = Token(self._http, login, self._form)

    def _form(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": str(self._settings.client_secret.read("Sentinel's client_secret")),
            "scope": SCOPE,
        }

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch, in as many requests as the API's limit asks for.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        documents = [self._document(event) for event in events]

        async def post(piece: range) -> None:
            body = b"[" + b",".join(documents[i] for i in piece) + b"]"
            try:
                headers = {**HEADERS, **await self._token.header()}
                await self._http.post(self._url, gzip.compress(body, 6), headers)
            except PraetorError:
                self._token.forget()
                raise

        return await send(cut(documents, MOST_BYTES, len(documents)), post)

    def _document(self, event: Event) -> bytes:
        named = {"TimeGenerated": iso(time_of(event)), "EventId": event.id, "Kind": event.kind}
        document = named | self._encoding.document(event)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
