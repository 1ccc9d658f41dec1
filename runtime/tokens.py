"""Tokens for SASL OAUTHBEARER: from a file that somebody renews, or from a token endpoint.

Source of the request and its answer: RFC 6749, section 4.4 (client credentials).
"""

import asyncio
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

import aiokafka.conn
import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from runtime.errors import PraetorError
from runtime.secrets import read_secret

TIMEOUT_SECONDS = 10
RENEW_AT = 0.8
DEFAULT_LIFE_SECONDS = 60.0


class Authenticator(aiokafka.conn.OAuthAuthenticator):  # type: ignore[misc]
    """aiokafka's, which takes a refusal for an answer.

    A server says why it refuses in a challenge without an error code (RFC 7628, section 3.2.2). aiokafka
    0.14.0 does not look at it and goes on as if logged in, to requests that nothing comes of.
    """

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """Send the token; then there must be nothing more.

        Raises:
            aiokafka.errors.SaslAuthenticationFailed: the token is refused.
            TokenError: there is none.
        """
        if payload:
            raise SaslAuthenticationFailed(payload.decode(errors="replace"))
        sent: tuple[bytes, bool] | None = await super().step(payload)
        return sent


aiokafka.conn.OAuthAuthenticator = Authenticator


class TokenError(KafkaError):  # type: ignore[misc]
    """No token could be had: to a client this is a connection that failed, and is tried again."""


class FileToken(AbstractTokenProvider):  # type: ignore[misc]
    """A token in a file, read anew for each connection: whoever renews it replaces the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The file's token.

        Raises:
            TokenError: it cannot be read.
        """
        try:
            return read_secret(self._path, "PRAETOR_KAFKA_OAUTH_TOKEN_FILE").strip()
        except PraetorError as error:
            raise TokenError(str(error)) from None


@dataclass(frozen=True)
class Client:
    """Who asks a token endpoint for what; `repr` does not tell the secret."""

    url: str
    id: str
    secret: str
    scope: str = ""

    def __repr__(self) -> str:
        return f"Client({self.url!r}, {self.id!r})"


class EndpointToken(AbstractTokenProvider):  # type: ignore[misc]
    """A token got by client credentials, used until four fifths of its life are over."""

    def __init__(self, client: Client, context: ssl.SSLContext) -> None:
        self._client = client
        self._context = context
        self._token = ""
        self._renew_at = 0.0
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def token(self) -> str:
        """A token that is still good; one request at a time.

        Raises:
            TokenError: the endpoint does not answer, or refuses.
        """
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = (loop, asyncio.Lock())
        async with self._lock[1]:
            if time.monotonic() >= self._renew_at:
                await self._fetch()
        return self._token

    async def _fetch(self) -> None:
        asked, of = time.monotonic(), self._client
        form = {"grant_type": "client_credentials"} | ({"scope": of.scope} if of.scope else {})
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, verify=self._context) as http:
                answer = await http.post(of.url, data=form, auth=(of.id, of.secret))
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise TokenError(f"the token endpoint {of.url} does not answer: {reason}") from None
        if answer.status_code != 200:
            hint = "check PRAETOR_KAFKA_OAUTH_CLIENT_ID, its secret and the scope"
            raise TokenError(f"the token endpoint {of.url} refused with {answer.status_code}: {hint}")
        try:
            told = answer.json()
            self._token, life = str(told["access_token"]), float(told.get("expires_in", DEFAULT_LIFE_SECONDS))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TokenError(f"the token endpoint {of.url} answered without an access_token") from None
        self._renew_at = asked + life * RENEW_AT
