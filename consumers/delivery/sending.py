"""Has one destination take a run of events: again, smaller where it refuses, aside what it never takes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from consumers.delivery.breaker import Breaker, State
from consumers.delivery.patience import Patience
from runtime import metrics
from runtime.errors import PraetorError, Unavailable
from runtime.health import Check
from sinks.sink import Delayed, Event, Outcome, Refused, Sink

log = structlog.get_logger()

KeepAside = Callable[[Event, str, int], Awaitable[None]]
"""Keeps an event that is refused for good: the event, the destination's words, how often it was sent."""


@dataclass
class Sent:
    """What came of a run."""

    delivered: int = 0
    aside: int = 0
    tries: int = 0


class Sender:
    """Writes to one sink. Its methods run one at a time; it waits for as long as the destination is away."""

    def __init__(
        self, name: str, sink: Sink, keep_aside: KeepAside, most: int = 500, patience: Patience | None = None
    ) -> None:
        """Take the destination's name, and how many events one write carries at most."""
        self._name = name
        self._sink = sink
        self._keep_aside = keep_aside
        self._most = most
        self._size = most
        self._patience = patience or Patience()
        self._breaker = Breaker(name)
        self._refusals = 0
        self._reason = ""
        self._open = False

    def check(self) -> Check:
        """Whether the destination takes what it is given: asked by another thread."""
        breaker = self._breaker
        told = {"failures": breaker.failures, "reason": self._reason, "breaker": breaker.state.name}
        return Check(not self._reason, told)

    async def send(self, events: Sequence[Event]) -> Sent:
        """Return once each event was taken or is kept aside; cancel it to give up.

        Events of a run reach the destination in its order, except those that it asks for again out of a
        batch of which it took the rest.
        """
        sent = Sent()
        left = list(events)
        while left:
            if self._breaker.state is State.half_open:
                self._size = 1  # one tries the way; then twice as many, and so on
            batch = left[: self._size]
            outcome = await self._try(batch, sent)
            if outcome is None:
                continue
            for place, reason in outcome.rejected:
                await self._keep_aside(batch[place], reason, 1)
            again = [batch[i] for i in outcome.again]
            sent.aside += len(outcome.rejected)
            sent.delivered += len(batch) - len(outcome.rejected) - len(again)
            left = again + left[len(batch) :]
            if again:
                await self._wait(Delayed(outcome.reason, outcome.retry_after))
            else:
                self._took()
        return sent

    async def _try(self, batch: Sequence[Event], sent: Sent) -> Outcome | None:
        """Write once; None where the same is to be tried again, smaller or later."""
        sent.tries += 1
        try:
            if not self._open:
                await self._sink.open()
                self._open = True
            return await self._sink.write(batch)
        except Refused as error:
            return await self._refused(batch, str(error), sent)
        except (Unavailable, PraetorError) as error:
            await self._wait(error)
            return None

    async def _refused(self, batch: Sequence[Event], reason: str, sent: Sent) -> Outcome | None:
        if len(batch) > 1:
            self._size = len(batch) // 2  # which event it is shows itself
            return None
        self._refusals += 1
        if self._refusals < self._patience.tries:
            await self._wait(Unavailable(reason))
            return None
        await self._keep_aside(batch[0], reason, self._refusals)
        sent.aside += 1
        sent.delivered -= 1  # the caller counts the batch as taken
        return Outcome()

    def _took(self) -> None:
        if self._reason:
            log.info("destination takes events again", destination=self._name)
        self._breaker.took()
        self._refusals = 0
        self._reason = ""
        self._size = min(self._most, 2 * self._size)
        metrics.DELIVERY_FAILING.labels(self._name).set(0)

    async def _wait(self, error: Exception) -> None:
        self._breaker.failed()
        reason = str(error) or type(error).__name__
        asked = getattr(error, "retry_after", 0.0)
        pause = self._patience.pause(self._breaker.failures, asked)
        if isinstance(error, PraetorError):
            pause = max(pause, self._patience.person)
        if reason != self._reason:
            log.warning("destination does not take events", destination=self._name, reason=reason)
        self._reason = reason
        metrics.DELIVERY_FAILING.labels(self._name).set(1)
        metrics.DELIVERY_RETRIES.labels(self._name).inc()
        await asyncio.sleep(pause)
        self._breaker.waited()

    async def close(self) -> None:
        """Let go of the destination."""
        await self._sink.close()
        self._open = False
