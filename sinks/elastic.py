"""Elasticsearch and OpenSearch by `_bulk`: each event is created once, under an id of its own.

Source: Elasticsearch 9 and OpenSearch 3, "Bulk API". An event's document id is SHA-256 of its id, so a
repetition is a conflict (409), which says that it is there already.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sinks.encoding import Encoding
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome, Refused, Rejected

NDJSON = {"content-type": "application/x-ndjson"}
FILTER = "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
THERE_ALREADY = 409


class ElasticSettings(BaseModel):
    """The address, the data stream or index (`{kind}` stands for the event's kind), and a login."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["elastic"]
    url: Annotated[str, Field(pattern=r"^https?://\S+[^/\s]$")]
    index: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._{}-]*$")] = "logs-praetor.{kind}-default"
    api_key: Secret | None = None
    username: str = ""
    password: Secret | None = None

    @model_validator(mode="after")
    def _login(self) -> "ElasticSettings":
        if bool(self.username) != bool(self.password) or (self.api_key and self.username):
            raise PydanticCustomError("login", "name 'api_key', or 'username' and 'password', or none")
        return self


class ElasticSink:
    """One `_bulk` a batch; what was not taken is told item by item."""

    def __init__(self, settings: ElasticSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: a secret is not there.
        """
        self._url = settings.url + FILTER
        self._index = settings.index
        self._encoding = encoding
        self._http = Http(outbound, _login(settings))

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        answer = await self._http.post(self._url, b"".join(map(self._item, events)), NDJSON)
        try:
            items = [next(iter(item.values())) for item in answer.json()["items"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"no answer of _bulk: {answer.text[:200]}") from error
        if len(items) != len(events):
            raise Refused(f"{len(items)} items answered, {len(events)} were sent")
        return _sorted(items)

    def _item(self, event: Event) -> bytes:
        action = {"create": {"_index": self._index.format(kind=event.kind), "_id": document_id(event)}}
        document = self._encoding.document(event)
        document.setdefault("@timestamp", document.get("time", document.get("received_at")))
        lines = (json.dumps(part, ensure_ascii=False, separators=(",", ":")) for part in (action, document))
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def document_id(event: Event) -> str:
    """The document's id: the same each time, and within 512 bytes."""
    return hashlib.sha256(event.id.encode()).hexdigest()


def _login(settings: ElasticSettings) -> dict[str, str]:
    if settings.api_key:
        return {"authorization": f"ApiKey {settings.api_key.read('api_key')}"}
    if settings.password:
        pair = f"{settings.username}:{settings.password.read('password')}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def _sorted(items: Sequence[dict[str, Any]]) -> Outcome:
    rejected, again, reason = [], [], ""
    for place, item in enumerate(items):
        status = int(item.get("status", 500))
        if status < 300 or status == THERE_ALREADY:
            continue
        error = item.get("error") or {}
        told = f"{status} {error.get('type', '')}: {error.get('reason', '')}"
        if status == 429 or status >= 500:
            again.append(place)
            reason = told
        else:
            rejected.append(Rejected(place, told))
    return Outcome(rejected, again, 0.0, reason)
