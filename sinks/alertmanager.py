"""Prometheus Alertmanager: API v2, alerts that open and end.

Source: Alertmanager's `api/v2/openapi.yaml`, `POST /api/v2/alerts`: 200 when taken. An alert is its labels: a
repetition changes nothing.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sinks.each import each
from sinks.formats import alertmanager
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome

JSON = {"content-type": "application/json"}
PATH = "/api/v2/alerts"


class AlertmanagerSettings(BaseModel):
    """Its address with its path prefix, labels of every alert, and further headers (a login).

    `active_hours`: how long an alert that nobody resolves stays active there; longer than the routes'
    `repeat`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["alertmanager"]
    url: Annotated[str, Field(pattern=r"^https?://\S+[^/\s]$")]
    labels: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(
        default_factory=dict
    )
    active_hours: Annotated[float, Field(gt=0, le=24 * 31)] = 24
    headers: dict[str, Secret] = Field(default_factory=dict)


class AlertmanagerSink:
    """Posts alerts."""

    def __init__(self, settings: AlertmanagerSettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: a secret is not there.
        """
        self._settings = settings
        headers = {n: s.read(f"Alertmanager's header {n}") for n, s in settings.headers.items()}
        self._http = Http(outbound, headers)

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Post the notifications.

        Raises:
            Unavailable, Refused, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        return await each(events, self._send)

    async def _send(self, event: Event) -> None:
        found = alertmanager.alerts(event, self._settings.labels, self._settings.active_hours)
        await self._http.post(self._settings.url + PATH, json.dumps(found).encode(), JSON)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
