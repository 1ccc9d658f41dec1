"""HTTP as destinations speak it: checked addresses, TLS, no redirects, and what an answer's status means."""

import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpcore
import httpx

from runtime.errors import PraetorError, Unavailable
from sinks.outbound import Allowed, resolve
from sinks.sink import Delayed, Refused

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0
TOLD_CHARACTERS = 500
LONGEST_WAIT = 3600.0


class Outbound(NamedTuple):
    """What all destinations of a process share: what may be spoken to, and whom TLS trusts."""

    allowed: Allowed
    context: ssl.SSLContext


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, in turn."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception | None = None
        for address in await resolve(host, port, self._allowed):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("no destination is a Unix socket")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class Http:
    """A client of one destination: its connections last between batches."""

    def __init__(self, outbound: Outbound, headers: Mapping[str, str]) -> None:
        """Take headers of every request; their values may be secret."""
        transport = httpx.AsyncHTTPTransport(verify=outbound.context, trust_env=False)
        # httpx has no option for it: the pool makes its connections through this
        transport._pool._network_backend = _Checked(outbound.allowed)
        self._client = httpx.AsyncClient(
            transport=transport,
            headers=dict(headers),
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Post, and return the answer if it is one of success.

        Raises:
            Unavailable, Refused, PraetorError: as `judge_status`; `Unavailable` also where none came.
        """
        return await self.send("POST", url, body, headers)

    async def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """The same by another method.

        Raises:
            Unavailable, Refused, PraetorError: as `post`.
        """
        try:
            answer = await self._client.request(method, url, content=body, headers=dict(headers))
        except httpx.HTTPError as error:
            raise _explain(error) from error
        judge_status(answer)
        return answer

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def judge_status(answer: httpx.Response) -> None:
    """Tell by an answer's status what became of a request.

    Raises:
        Delayed: 408, 425, 429 and all of 500 to 599, with `Retry-After` where it is said (RFC 9110 §10.2.3).
        PraetorError: 401, 403, 404, 405 and redirects: the address or the login is wrong.
        Refused: any other that is no success.
    """
    status = answer.status_code
    if 200 <= status < 300:
        return
    told = f"{status} {answer.reason_phrase}: {_short(answer)}".rstrip(": ")
    if status in (408, 425, 429) or status >= 500:
        raise Delayed(told, retry_after(answer.headers.get("retry-after", "")))
    if 300 <= status < 400:
        raise PraetorError(f"{told}: it redirects, which is not followed; name the final address")
    if status in (401, 403, 404, 405):
        raise PraetorError(f"{told}: check its address and its login")
    raise Refused(told)


def retry_after(text: str, now: datetime | None = None) -> float:
    """Seconds of a `Retry-After`, a number or a date; 0 where it is neither; an hour at most."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else 0.0


def _short(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())[:TOLD_CHARACTERS]


def _explain(error: httpx.HTTPError) -> Exception:
    """A certificate is a person's matter; everything else may pass."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PraetorError):
            return cause
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PraetorError(f"its certificate is not trusted: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    return Unavailable(f"{type(error).__name__}: {error}".rstrip(": "))
