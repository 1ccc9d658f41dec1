"""Mail: SMTP with TLS, one mail a notification, a connection a batch.

A mail counts as sent once the server has taken it (250 after the data). Its Message-ID is the same each time;
a mailbox that does not look at it shows a repetition twice.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Annotated, Literal

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import PraetorError, Unavailable
from sinks.each import each
from sinks.formats import mail
from sinks.http import Outbound
from sinks.outbound import resolve
from sinks.secret import Secret
from sinks.sink import Event, Outcome, Refused

SECONDS = 15.0
PORTS = {"starttls": 587, "tls": 465, "none": 25}
Address = Annotated[str, Field(pattern=r"^[^\s@<>,]+@[^\s@<>,]+$", max_length=320)]


class MailSettings(BaseModel):
    """The server, how it is spoken to, and from whom to whom.

    `security`: `starttls` (port 587), `tls` (465), or `none`, which is for a server on this machine.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["email"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None
    sender: Address
    to: Annotated[list[Address], Field(min_length=1)]


class MailSink:
    """Sends mails. Nothing is sent in clear unless `security` says so."""

    def __init__(self, settings: MailSettings, outbound: Outbound) -> None:
        """Take the settings.

        Raises:
            PraetorError: the password is not there.
        """
        self._settings = settings
        self._outbound = outbound
        self._password = settings.password.read("the mail server's password") if settings.password else ""

    async def open(self) -> None:
        """A connection is made for each batch."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send the notifications.

        Raises:
            Unavailable: the server is not there, or takes nothing now (4xx).
            Refused: it will not take this mail (5xx).
            PraetorError: its certificate is not trusted, or it refuses the login.
        """
        return await each(events, self._send)

    async def _send(self, event: Event) -> None:
        settings = self._settings
        message = mail.message(event, settings.sender, settings.to)
        connection = await self._connect()
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            sock=connection,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._outbound.context,
            username=settings.username or None,
            password=str(self._password) or None,
            timeout=SECONDS,
            local_hostname="praetor",
        )
        try:
            async with client:
                await client.send_message(message)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _explained(error, settings.host) from error

    async def _connect(self) -> socket.socket:
        """To an address that was checked: the name is not resolved a second time."""
        settings = self._settings
        port = settings.port or PORTS[settings.security]
        address = (await resolve(settings.host, port, self._outbound.allowed))[0]
        try:
            return await asyncio.to_thread(socket.create_connection, (address, port), SECONDS)
        except OSError as error:
            raise Unavailable(f"{settings.host}:{port}: {error}") from error

    async def close(self) -> None:
        """Nothing is open between batches."""


def _explained(error: Exception, host: str) -> Exception:
    """What an SMTP failure means to who sends (RFC 5321 §4.2.1: 4yz may pass, 5yz will not)."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PraetorError(f"its certificate is not trusted: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    told = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return PraetorError(f"{host} refuses the login: {told}")
    if isinstance(error, aiosmtplib.SMTPNotSupported) or "not supported by server" in told:
        return PraetorError(f"{host} cannot do what `security` or the login asks for: {told}")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [each_one.code for each_one in error.recipients]
        return Refused(told) if all(code >= 500 for code in codes) else Unavailable(told)
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500:
        return Refused(told)
    return Unavailable(f"{host}: {told}")
