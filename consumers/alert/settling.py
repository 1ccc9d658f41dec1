"""What people have set, read from the store again and again; while it is away, what was known counts on."""

import asyncio
import time

import structlog

from consumers.alert.match import any_of
from consumers.alert.quiet import Mute, Quiet
from runtime import metrics
from runtime.errors import PraetorError, Unavailable
from runtime.health import Check
from store.models import Silence, Window
from store.seen import acknowledgements
from store.silences import silences, windows
from store.store import Store

log = structlog.get_logger()

EACH_SECONDS = 2.0
SEEN_MS = 30 * 86_400_000
"""Acknowledgements count for as long as agent.incidents is kept."""


class Settling:
    """The newest `Quiet`. A store that is away mutes nothing anew, and its silences still end in time."""

    def __init__(self, store: Store) -> None:
        """Take the store; it is opened when it answers."""
        self._store = store
        self._quiet = Quiet()
        self._heard_at = time.monotonic()
        self._problem = "not read yet"
        self._opened = False

    def now(self) -> Quiet:
        """What is set, as far as it is known."""
        return self._quiet

    def check(self) -> Check:
        """Asked by another thread. A store that is away does not make us unready: people are told."""
        return Check(True, {"store": self._problem or "read", "mutes": len(self._quiet.mutes)})

    async def follow(self) -> None:
        """Read for ever; nothing but a bug is raised."""
        while True:
            await self.read()
            await asyncio.sleep(EACH_SECONDS)

    async def read(self) -> None:
        """Read once."""
        try:
            self._quiet = await asyncio.to_thread(self._read)
        except (Unavailable, PraetorError) as error:
            if str(error) != self._problem:
                log.warning("the store does not answer: silences known before count on", reason=str(error))
            self._problem = str(error)
        else:
            self._problem, self._heard_at = "", time.monotonic()
        metrics.STORE_AWAY.set(time.monotonic() - self._heard_at if self._problem else 0)

    def _read(self) -> Quiet:
        if not self._opened:
            self._store.open()
            self._opened = True
        now = round(time.time() * 1000)
        with self._store.reading() as session:
            mutes = [_silence(each) for each in silences(session, now)]
            mutes += [_window(each) for each in windows(session, now)]
            seen = {a.subject: a.made_by for a in acknowledgements(session, now - SEEN_MS)}
        return Quiet(mutes, seen)


def _silence(silence: Silence) -> Mute:
    tests = {name: any_of(patterns) for name, patterns in silence.scope.items()}
    return Mute(silence.id, tests, silence.starts, silence.ends)


def _window(window: Window) -> Mute:
    tests = {name: any_of(patterns) for name, patterns in window.scope.items()}
    return Mute(window.id, tests, window.starts, window.ends, window.every, window.until)
