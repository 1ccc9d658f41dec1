"""Everything else, by Apprise (the extra `notify`): a title and a text to one of its services.

Apprise makes its own connections, in threads: what may be spoken to cannot be checked address by address, so
it is refused where PRAETOR_OUTBOUND_ALLOW is set. It tells whether a service took a message, not why it did
not: then it is tried again. Nothing there recognises a repetition.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from runtime.errors import PraetorError, Unavailable
from sinks.each import each
from sinks.formats import mail
from sinks.formats.notice import headline, notice
from sinks.http import Outbound
from sinks.secret import Secret
from sinks.sink import Event, Outcome

TYPES = {"critical": "failure", "high": "failure", "medium": "warning"}


class AppriseSettings(BaseModel):
    """The service's address in Apprise's notation, which holds its secrets."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["apprise"]
    url: Secret


class AppriseSink:
    """Sends by one Apprise service."""

    def __init__(self, settings: AppriseSettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: Apprise is not installed, or may not be used; or it does not know the address.
        """
        if find_spec("apprise") is None:
            raise PraetorError("apprise is not installed: install Praetor with its `notify` extra")
        if not outbound.allowed.everything:
            raise PraetorError(
                "apprise connects by itself, so PRAETOR_OUTBOUND_ALLOW cannot be kept: use another type"
            )
        self._apprise: Any = import_module("apprise").Apprise()
        if not self._apprise.add(str(settings.url.read("apprise's url"))):
            raise PraetorError("apprise does not know this kind of address: see its list of services")

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send the notifications.

        Raises:
            Unavailable: the service did not take it; Apprise does not say why.
        """
        return await each(events, self._send)

    async def _send(self, event: Event) -> None:
        record = notice(event)
        kind = "success" if record["action"] == "resolve" else TYPES.get(record["severity"], "info")
        taken = await self._apprise.async_notify(
            title=headline(record), body=mail.text(event), notify_type=kind, body_format="text"
        )
        if not taken:
            raise Unavailable("the service did not take it (Apprise does not say why)")

    async def close(self) -> None:
        """Nothing is open between notifications."""
