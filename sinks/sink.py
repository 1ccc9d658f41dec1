"""The one shape of a destination: open, write a batch, close; and what a batch's writing may come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from runtime.errors import Unavailable
from schemas.codec import Record

Kind = Literal["decision", "threat", "incident", "notification"]


@dataclass(frozen=True, slots=True)
class Event:
    """One record on its way out.

    Attributes:
        kind: what it is; `record` has the fields of that schema, decoded (times are milliseconds).
        id: the same each time that this record is sent: what a receiver recognises a repetition by.
        key: records of one key reach a destination in their order.
        topic: where it stands in Kafka.
        partition: the same.
        offset: the same.
        record: its fields.
    """

    kind: Kind
    id: str
    key: bytes | None
    topic: str
    partition: int
    offset: int
    record: Record


class Rejected(NamedTuple):
    """An event that the destination will never take, by its place in the batch, and its own words why."""

    place: int
    reason: str


class Outcome(NamedTuple):
    """What came of a batch; what neither field names was delivered.

    Attributes:
        rejected: refused for good.
        again: places of those to send again, in the batch's order; with `retry_after` seconds before.
        reason: why they are to be sent again, in the destination's words.
    """

    rejected: Sequence[Rejected] = ()
    again: Sequence[int] = ()
    retry_after: float = 0.0
    reason: str = ""


DELIVERED = Outcome()


class Delayed(Unavailable):
    """The destination does not take anything now, and may have said for how many seconds."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        """Take the destination's words, and its wish; 0 where it has none."""
        super().__init__(reason)
        self.retry_after = retry_after


class Refused(Exception):
    """The destination refuses the batch as a whole, and would again: some event of it may be at fault.

    The message is the destination's own answer. Whoever sends finds out which event it is.
    """


class Sink(Protocol):
    """A destination. The loop that calls it owns batching, retry, order, commit and metrics.

    Methods are called one at a time. A batch may be written again, whole or in part, when it is not known
    what became of it: events carry the same `id` then. Not promised by any sink: that a receiver which does
    not look at ids stores an event once.
    """

    async def open(self) -> None:
        """Get ready: connect where connections last.

        Raises:
            Unavailable: not now.
            PraetorError: a person is needed (a wrong password, a certificate); it is tried again, slowly.
        """
        ...

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Deliver a batch, and return once the destination has said what became of it.

        Raises:
            Unavailable: what became of it is not known, or nothing is taken now (`Delayed`): send it again.
            Refused: it will not take this batch.
            PraetorError: a person is needed; it is tried again, slowly.
        """
        ...

    async def close(self) -> None:
        """Let go of everything; nothing raises."""
        ...
