"""Batches that an API takes only up to a size: cut into pieces, and told apart where some were taken."""

from collections.abc import Awaitable, Callable, Sequence

from runtime.errors import Unavailable
from sinks.sink import DELIVERED, Outcome


def cut(documents: Sequence[bytes], most_bytes: int, most: int, overhead: int = 2) -> list[range]:
    """Places of consecutive documents that go together: at most so many, and so many bytes.

    A document takes `overhead` bytes beside its own. One that is larger by itself goes alone: the API says
    what it thinks of it.
    """
    found: list[range] = []
    start = size = 0
    for place, document in enumerate(documents):
        more = len(document) + overhead
        if place > start and (size + more > most_bytes or place - start >= most):
            found.append(range(start, place))
            start, size = place, 0
        size += more
    return [*found, range(start, len(documents))] if documents else found


async def send(pieces: Sequence[range], post: Callable[[range], Awaitable[object]]) -> Outcome:
    """Send piece after piece; what an API does not take after it took some is to be sent again.

    Raises:
        Unavailable, Refused, PraetorError: as `post` does, where nothing was taken before.
    """
    for number, piece in enumerate(pieces):
        try:
            await post(piece)
        except Unavailable as error:
            if not number:
                raise
            again = range(piece.start, pieces[-1].stop)
            return Outcome((), again, getattr(error, "retry_after", 0.0), str(error))
    return DELIVERED
