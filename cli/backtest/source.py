"""What a place that keeps actions offers: chunks, each of which a worker reads alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeVar

from judgement.recorded import Recorded
from streams.snapshots import DAY_MS

FOREVER = 2**62


@dataclass(frozen=True)
class Window:
    """What is compared: `received_at` from `since` to before `until`, and how long before it is judged.

    Times are milliseconds. What is remembered of agents is known at the beginning of a day (UTC) and at every
    1,000th action: so reading begins at that of the day where the warm-up begins.
    """

    since: int
    until: int
    warm_up: int = 0

    @property
    def begin(self) -> int:
        """From when on actions are read."""
        return max(0, (self.since - self.warm_up) // DAY_MS * DAY_MS)


class Feed(Protocol):
    """The actions of a chunk, each agent's in their order.

    Attributes:
        grouped: whether all actions of an agent come together.
    """

    grouped: bool

    def stored(self) -> Iterator[Recorded]:
        """All of them, once."""
        ...

    def begin(self, first: Recorded) -> Mapping[str, bytes]:
        """What was remembered of an agent before this action, its first here; empty where nothing was."""
        ...

    def unremembered(self) -> int:
        """Of how many agents something should have been remembered, and is not there. Asked at the end."""
        ...


class Closing(Protocol):
    """A connection."""

    def close(self) -> None:
        """Close it."""
        ...


Connection = TypeVar("Connection", bound=Closing)


class Kept:
    """What a worker keeps open from chunk to chunk. A context manager that closes it."""

    def __init__(self) -> None:
        self._held: dict[type, Closing] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._held:
            self._held.popitem()[1].close()

    def connection(self, of: type[Connection], make: Callable[[], Connection]) -> Connection:
        """The one of a type, made when it is asked for first."""
        held = self._held.get(of)
        if not isinstance(held, of):
            held = self._held[of] = make()
        return held


class Chunk(Protocol):
    """Some agents' actions; travels to a worker.

    Attributes:
        actions: about how many, for the progress bar.
    """

    @property
    def actions(self) -> int:
        """About how many."""
        ...

    def open(self, kept: Kept) -> AbstractContextManager[Feed]:
        """Begin to read, by connections that are kept from chunk to chunk.

        Raises:
            PraetorError, Unavailable: it cannot be read.
        """
        ...
