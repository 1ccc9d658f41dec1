"""A webhook for notifications: JSON by POST, signed as Standard Webhooks 1.0 says, in a form of its owner's.

`webhook-id` is the notification's, the same each time that it is sent.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from sinks.each import each
from sinks.formats import plain, template
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome
from sinks.webhook import key_of, signed


class AlertWebhookSettings(BaseModel):
    """The address; a secret to sign with; further headers, whose values are secrets; the body's template.

    Without a template the body is the notification's own fields.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["webhook"]
    url: str = Field(pattern=r"^https?://\S+$")
    secret: Secret | None = None
    headers: dict[str, Secret] = Field(default_factory=dict)
    template: dict[str, Any] | None = None

    @field_validator("template")
    @classmethod
    def _check(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if wrong := template.mistakes(value):
            known = ", ".join(sorted(template.NAMES))
            raise PydanticCustomError("pattern", "{why}", {"why": f"{'; '.join(wrong)}; there are {known}"})
        return value


class AlertWebhookSink:
    """Posts notifications."""

    def __init__(self, settings: AlertWebhookSettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: a secret is not there.
        """
        self._settings = settings
        self._secret = key_of(settings.secret.read("webhook's secret")) if settings.secret else b""
        headers = {name: secret.read(f"webhook's header {name}") for name, secret in settings.headers.items()}
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
        shape = self._settings.template
        body = plain.line(event) if shape is None else template.body(event, shape)
        await self._http.post(
            self._settings.url, body, signed(self._secret, event.id, int(time.time()), body)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
