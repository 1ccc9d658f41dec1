"""Syslog over TCP and TLS: RFC 5424, octets counted (RFC 6587 §3.4.1, RFC 5425), a connection a batch.

Syslog has no acknowledgement. What stands in for it: after a batch we close our side, and the batch counts as
taken once the receiver closes its own. In TLS it says so itself (close_notify), and only after it has read to
our end. In plain TCP a receiver that is killed with unread data resets the connection, and the batch is sent
again; one that is killed after it has read, and before it has stored, cannot be told from one that is done.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import PraetorError, Unavailable
from sinks.encoding import Encoding
from sinks.formats.words import RANKS, iso, time_of
from sinks.http import Outbound
from sinks.outbound import resolve
from sinks.sink import DELIVERED, Event, Outcome

SECONDS = 15.0
FACILITY = 13  # log audit
SEVERITIES = (6, 6, 5, 4, 3, 2)
"""By our rank: informational, notice, warning, error, critical."""


class SyslogSettings(BaseModel):
    """Where the receiver listens, and whether it speaks TLS.

    `close_notify: false` is for receivers that end TLS without saying so: the end of the connection counts.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["syslog"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 6514
    tls: bool = True
    close_notify: bool = True
    hostname: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")] = "praetor"
    app_name: Annotated[str, Field(pattern=r"^[!-~]{1,48}$")] = "praetor"


class SyslogSink:
    """One message an event, its body in the chosen format, its id in MSGID's structured data."""

    def __init__(self, settings: SyslogSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded."""
        self._settings = settings
        self._encoding = encoding
        self._outbound = outbound

    async def open(self) -> None:
        """A connection is made for each batch."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch over a connection of its own.

        Raises:
            Unavailable: the receiver is not there, or did not read to the end.
            PraetorError: its certificate is not trusted.
        """
        data = b"".join(framed(self.message(event)) for event in events)
        addresses = await resolve(self._settings.host, self._settings.port, self._outbound.allowed)
        try:
            await asyncio.to_thread(self._send, addresses[0], data)
        except ssl.SSLCertVerificationError as error:
            raise PraetorError(f"its certificate is not trusted: {error.verify_message}") from error
        except OSError as error:
            raise Unavailable(f"{self._settings.host}:{self._settings.port}: {error}") from error
        return DELIVERED

    def message(self, event: Event) -> bytes:
        """An event as RFC 5424 has it; UTF-8 without a byte order mark, as receivers read it best."""
        rank = RANKS.get(event.record.get("severity", "unknown"), 0)
        name = event.id.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
        head = (
            f"<{FACILITY * 8 + SEVERITIES[rank]}>1 {iso(time_of(event))} {self._settings.hostname}"
            f' {self._settings.app_name} - {event.kind} [praetor@32473 id="{name}"] '
        )
        return head.encode() + self._encoding.line(event)

    def _send(self, address: str, data: bytes) -> None:
        with socket.create_connection((address, self._settings.port), SECONDS) as raw:
            if not self._settings.tls:
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
                _read_to_end(raw)
                return
            with self._outbound.context.wrap_socket(raw, server_hostname=self._settings.host) as wrapped:
                wrapped.sendall(data)
                self._close_both(wrapped)

    def _close_both(self, connection: ssl.SSLSocket) -> None:
        try:
            connection.unwrap()
        except ssl.SSLEOFError as error:
            if self._settings.close_notify:
                raise OSError(
                    "it ended the connection without close_notify, so it may not have read all; if it always"
                    " does, set close_notify: false"
                ) from error

    async def close(self) -> None:
        """Nothing is open between batches."""


def framed(message: bytes) -> bytes:
    """The message behind its length in octets."""
    return b"%d %s" % (len(message), message)


def _read_to_end(connection: socket.socket) -> None:
    """Return once the receiver has closed; what it says is of no interest."""
    while connection.recv(4096):
        pass
