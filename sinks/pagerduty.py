"""PagerDuty: Events API v2, one event a notification: trigger, acknowledge, resolve.

Source: PagerDuty's developer documentation, "Events API v2 Overview", "Send an Alert Event": 202 when taken,
400 for an event that is wrong, 429 above the integration's limit. The group's id is the `dedup_key`, so a
repetition opens no second incident.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sinks.each import each
from sinks.formats import pagerduty
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome

JSON = {"content-type": "application/json"}
PATH = "/v2/enqueue"


class PagerDutySettings(BaseModel):
    """The integration's key, and the region's address (`https://events.eu.pagerduty.com` in the EU)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["pagerduty"]
    routing_key: Secret
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] = "https://events.pagerduty.com"


class PagerDutySink:
    """Sends events, in order: a resolve never overtakes its trigger."""

    def __init__(self, settings: PagerDutySettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: the key is not there.
        """
        self._url = settings.url + PATH
        self._key = settings.routing_key.read("PagerDuty's routing_key")
        self._http = Http(outbound, {})

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send the notifications.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        return await each(events, self._send)

    async def _send(self, event: Event) -> None:
        body = json.dumps(pagerduty.message(event, str(self._key))).encode()
        await self._http.post(self._url, body, JSON)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
