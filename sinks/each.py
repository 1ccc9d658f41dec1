"""For receivers that take one notification a request: a run of them, in order, each once where it can be."""

from collections.abc import Awaitable, Callable, Sequence

from runtime.errors import PraetorError, Unavailable
from sinks.sink import DELIVERED, Event, Outcome, Refused


async def each(events: Sequence[Event], send: Callable[[Event], Awaitable[None]]) -> Outcome:
    """Send one after the other; where one is not taken, it and those behind it are to be sent again.

    Raises:
        Unavailable, Refused, PraetorError: what the first came to; nothing was taken then.
    """
    for place, event in enumerate(events):
        try:
            await send(event)
        except (Unavailable, Refused, PraetorError) as error:
            if place == 0:
                raise
            wish = getattr(error, "retry_after", 0.0)
            return Outcome((), range(place, len(events)), wish, str(error))
    return DELIVERED
