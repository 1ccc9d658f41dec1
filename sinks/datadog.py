"""Datadog's logs by HTTP: JSON arrays of at most 1,000 entries and 5 MB.

Source: Datadog API reference, "Send logs" v2. Datadog cuts an entry above 1 MB, and says nothing of it.
"""

import gzip
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sinks.encoding import Encoding
from sinks.formats.words import RANKS, name_of, sentence_of, time_of
from sinks.http import Http, Outbound
from sinks.pieces import cut, send
from sinks.secret import Secret
from sinks.sink import Event, Outcome

MOST, MOST_BYTES = 1000, 5_000_000
HEADERS = {"content-type": "application/json", "content-encoding": "gzip"}
STATUSES = ("info", "info", "notice", "warn", "error", "critical")
"""By our rank."""


class DatadogSettings(BaseModel):
    """The intake of your Datadog site, its key, and what entries are called."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["datadog"]
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] = "https://http-intake.logs.datadoghq.com"
    api_key: Secret
    service: str = "praetor"
    source: str = "praetor"
    tags: list[str] = Field(default_factory=list)


class DatadogSink:
    """An entry an event, its fields as attributes. Datadog stores a repetition again: see `praetor_id`."""

    def __init__(self, settings: DatadogSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: the key is not there.
        """
        self._url = settings.url + "/api/v2/logs"
        self._settings = settings
        self._encoding = encoding
        self._http = Http(outbound, {"dd-api-key": settings.api_key.read("Datadog's api_key")})

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch, in as many requests as the API's limits ask for.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        entries = [_bytes(self._entry(event)) for event in events]

        async def post(piece: range) -> None:
            body = b"[" + b",".join(entries[i] for i in piece) + b"]"
            await self._http.post(self._url, gzip.compress(body, 6), HEADERS)

        return await send(cut(entries, MOST_BYTES, MOST), post)

    def _entry(self, event: Event) -> dict[str, Any]:
        rank = RANKS.get(event.record.get("severity", "unknown"), 0)
        tags = [*self._settings.tags, f"kind:{event.kind}"]
        named = {
            "ddsource": self._settings.source,
            "service": self._settings.service,
            "hostname": "praetor",
            "ddtags": ",".join(tags),
            "status": STATUSES[rank],
            "timestamp": time_of(event),
            "praetor_id": event.id,
            "message": sentence_of(event) or name_of(event),
        }
        return self._encoding.document(event) | named

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _bytes(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
