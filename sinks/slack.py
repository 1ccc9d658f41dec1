"""Slack: an incoming webhook, one message a notification.

Source: docs.slack.dev, "Sending messages using incoming webhooks", "Rate limits" (429, Retry-After). Slack
recognises no repetition: the id stands in the message's last line.
"""

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sinks.each import each
from sinks.formats import slack
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome

JSON = {"content-type": "application/json; charset=utf-8"}


class SlackSettings(BaseModel):
    """The webhook's address, which is a secret: whoever has it can write there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["slack"]
    url: Secret


class SlackSink:
    """Posts messages in Block Kit."""

    def __init__(self, settings: SlackSettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: the address is not there.
        """
        self._url = settings.url.read("Slack's url")
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
        await self._http.post(self._url, json.dumps(slack.message(event)).encode(), JSON)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
