"""Access tokens by OAuth 2.0, kept until shortly before they expire (RFC 6749 §4.4, RFC 7523 §2.1)."""

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from runtime.errors import PraetorError
from runtime.secrets import Revealed
from sinks.http import Http

EARLY_SECONDS = 120.0
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Token:
    """A token of one endpoint. Asked for when it is needed, and again before its time is over."""

    def __init__(self, http: Http, url: str, form: Callable[[], Mapping[str, str]]) -> None:
        """Take where to ask, and what to send: made anew each time, so that secrets may change."""
        self._http = http
        self._url = url
        self._form = form
        self._value = Revealed("")
        self._until = 0.0

    async def header(self) -> dict[str, str]:
        """The header that shows the token.

        Raises:
            Unavailable: the endpoint does not answer.
            PraetorError: it gives none.
        """
        if time.monotonic() >= self._until:
            await self._fetch()
        return {"authorization": f"Bearer {self._value}"}

    def forget(self) -> None:
        """Ask anew next time: the token was not believed."""
        self._until = 0.0

    async def _fetch(self) -> None:
        asked = time.monotonic()
        answer = await self._http.post(self._url, urlencode(self._form()).encode(), FORM)
        try:
            found = answer.json()
            self._value = Revealed(str(found["access_token"]))
            lasts = float(found.get("expires_in", 3600))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PraetorError(f"{self._url} gives no access token: is it a token endpoint?") from error
        self._until = asked + max(0.0, lasts - EARLY_SECONDS)
