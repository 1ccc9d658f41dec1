"""Microsoft Teams: a workflow that posts what it is sent, one card a notification.

Source: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams": 202 when it has taken
the request, at most 28 KB, 429 above about four requests a second. Teams recognises no repetition: the id
stands in the card's last line.
"""

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sinks.each import each
from sinks.formats import teams
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome

JSON = {"content-type": "application/json"}


class TeamsSettings(BaseModel):
    """The workflow's address, which is a secret: it carries its own signature."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["teams"]
    url: Secret


class TeamsSink:
    """Posts Adaptive Cards."""

    def __init__(self, settings: TeamsSettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: the address is not there.
        """
        self._url = settings.url.read("Teams' url")
        self._http = Http(outbound, {})

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Post the notifications.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        return await each(events, self._send)

    async def _send(self, event: Event) -> None:
        await self._http.post(self._url, json.dumps(teams.message(event), ensure_ascii=False).encode(), JSON)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
