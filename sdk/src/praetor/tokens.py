"""Tokens for OAUTHBEARER: from a file that somebody renews, or from a token endpoint.

Source of the request and its answer: RFC 6749, section 4.4 (client credentials).
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from pathlib import Path
from typing import Any
from urllib import error as failures
from urllib import parse, request

import aiokafka.conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from praetor.errors import PraetorError
from praetor.security import Security

TIMEOUT_SECONDS = 5.0
RENEW_AT = 0.8
DEFAULT_LIFE_SECONDS = 60.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ENDPOINT = ("oauth_token_url", "oauth_client_id", "oauth_client_secret")


class TokenMissing(KafkaError):  # type: ignore[misc]
    """No token could be had: to aiokafka a connection that failed, and is tried again."""


class Authenticator(aiokafka.conn.OAuthAuthenticator):  # type: ignore[misc]
    """aiokafka's, which takes a refusal (RFC 7628, 3.2.2) for an answer and goes on as if logged in."""

    async def step(self, payload: bytes | None) -> Any:
        """Send the token; then there must be nothing more."""
        if payload:
            raise SaslAuthenticationFailed(payload.decode(errors="replace"))
        return await super().step(payload)


def token_provider(security: Security) -> AbstractTokenProvider | None:
    """Where tokens come from; None where the settings name nothing.

    Raises:
        PraetorError: they do not fit together.
    """
    given = [name for name in ENDPOINT if getattr(security, name)]
    if security.oauth_token_file and given:
        raise PraetorError("an OAuth token file and a token endpoint are both set: keep one of them")
    if not security.oauth_token_file and not given:
        return None
    if given and len(given) < len(ENDPOINT):
        needed = ", ".join(f"PRAETOR_KAFKA_{name.upper()}" for name in ENDPOINT)
        raise PraetorError(f"a token endpoint needs {needed}, all three")
    # there is no option for it; what else uses aiokafka in this process only gets a refusal that it can see
    aiokafka.conn.OAuthAuthenticator = Authenticator
    if security.oauth_token_file:
        return FileToken(Path(security.oauth_token_file))
    url = parse.urlsplit(str(security.oauth_token_url))
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
        raise PraetorError("the OAuth token URL must be https://…: the client's secret goes there")
    return EndpointToken(security)


class FileToken(AbstractTokenProvider):  # type: ignore[misc]
    """A token in a file, read anew for each connection: whoever renews it replaces the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The file's token; raises TokenMissing."""
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise TokenMissing(f"the OAuth token file {self._path} cannot be read: {why}") from None
        if not token:
            raise TokenMissing(f"the OAuth token file {self._path} is empty")
        return token


class _NoRedirect(request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: the secret goes nowhere else."""


class EndpointToken(AbstractTokenProvider):  # type: ignore[misc]
    """A token got by client credentials, used until four fifths of its life are over."""

    def __init__(self, security: Security) -> None:
        self._of = security
        try:
            context = ssl.create_default_context(cafile=security.ssl_cafile)
        except OSError as error:
            raise PraetorError(f"Kafka's TLS file {security.ssl_cafile} cannot be used: {error}") from error
        self._opener = request.build_opener(request.HTTPSHandler(context=context), _NoRedirect)
        self._token = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        """A token that is still good; raises TokenMissing."""
        if time.monotonic() >= self._renew_at:
            asked = time.monotonic()
            self._token, life = await asyncio.get_running_loop().run_in_executor(None, self._fetch)
            self._renew_at = asked + life * RENEW_AT
        return self._token

    def _fetch(self) -> tuple[str, float]:
        of, where = self._of, f"the token endpoint {self._of.oauth_token_url}"
        form = {"grant_type": "client_credentials", **({"scope": of.oauth_scope} if of.oauth_scope else {})}
        login = base64.b64encode(f"{of.oauth_client_id}:{of.oauth_client_secret}".encode()).decode()
        asking = request.Request(  # noqa: S310 - its scheme was checked
            str(of.oauth_token_url), parse.urlencode(form).encode(), {"Authorization": f"Basic {login}"}
        )
        try:
            with self._opener.open(asking, timeout=TIMEOUT_SECONDS) as answer:
                told = json.loads(answer.read())
            return str(told["access_token"]), float(told.get("expires_in", DEFAULT_LIFE_SECONDS))
        except failures.HTTPError as error:
            error.close()
            hint = "check PRAETOR_KAFKA_OAUTH_CLIENT_ID, its secret and the scope"
            raise TokenMissing(f"{where} refused with {error.code}: {hint}") from None
        except OSError as error:
            raise TokenMissing(f"{where} does not answer: {getattr(error, 'reason', error)}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TokenMissing(f"{where} answered without an access_token") from None
