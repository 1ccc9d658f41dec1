"""Splunk's HTTP Event Collector: batches of JSON and, where the token has it, the indexer's word.

Source: Splunk Enterprise 10, "HTTP Event Collector REST API endpoints", "About HEC Indexer Acknowledgment".
"""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import Unavailable
from sinks.encoding import Encoding
from sinks.formats.words import time_of
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import DELIVERED, Event, Outcome, Refused, Rejected

ACK_SECONDS, ASK_SECONDS = 60.0, 0.5
PATH = "/services/collector"


class SplunkSettings(BaseModel):
    """The collector's address without a path, its token, and where events go."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["splunk_hec"]
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]
    token: Secret
    index: str = ""
    source: str = "praetor"
    sourcetype: str = "praetor"
    acknowledge: bool = False


class SplunkSink:
    """One request a batch; with `acknowledge` it waits until the indexers have it (60 s at most).

    The event's id stands in the indexed field `praetor_id`: Splunk itself stores a repetition again.
    """

    def __init__(self, settings: SplunkSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: the token is not there.
        """
        self._settings = settings
        self._encoding = encoding
        self._channel = str(uuid.uuid4())
        token = settings.token.read("Splunk's token")
        headers = {"authorization": f"Splunk {token}", "x-splunk-request-channel": self._channel}
        self._http = Http(outbound, headers)

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        body = b"".join(self._envelope(event) for event in events)
        try:
            answer = await self._http.post(self._settings.url + PATH + "/event", body, JSON)
        except Refused as error:
            return _without_invalid(error, len(events))
        if self._settings.acknowledge:
            await self._acknowledged(answer.json().get("ackId"))
        return DELIVERED

    def _envelope(self, event: Event) -> bytes:
        envelope: dict[str, Any] = {
            "time": time_of(event) / 1000,
            "host": "praetor",
            "source": self._settings.source,
            "sourcetype": f"{self._settings.sourcetype}:{event.kind}",
            "event": self._encoding.document(event),
            "fields": {"praetor_id": event.id},
        }
        if self._settings.index:
            envelope["index"] = self._settings.index
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    async def _acknowledged(self, number: Any) -> None:
        if number is None:
            raise Unavailable("Splunk names no ackId: the token has no indexer acknowledgement")
        began = time.monotonic()
        url = f"{self._settings.url}{PATH}/ack?channel={self._channel}"
        while time.monotonic() - began < ACK_SECONDS:
            answer = await self._http.post(url, json.dumps({"acks": [number]}).encode(), JSON)
            if answer.json().get("acks", {}).get(str(number)):
                return
            await asyncio.sleep(ASK_SECONDS)
        raise Unavailable(f"Splunk has not acknowledged within {ACK_SECONDS:g} s")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


JSON = {"content-type": "application/json"}


def _without_invalid(error: Refused, count: int) -> Outcome:
    """The outcome where Splunk names the event that is at fault, by its place in the batch.

    Raises:
        Refused: it names none.
    """
    told = str(error)
    try:
        place = int(json.loads(told[told.index("{") :])["invalid-event-number"])
    except (ValueError, KeyError, TypeError):
        raise error from None
    if not 0 <= place < count:
        raise error
    return Outcome([Rejected(place, told)], [i for i in range(count) if i != place], 0.0, told)
