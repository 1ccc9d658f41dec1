"""What an owner of partitions does with one of them, and which group gives them to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from runtime.health import Watch


class Work(Protocol):
    """What an owner does with one partition: `take_over`, then `run`, then `close`, whatever happens.

    `take_over` and `run` may raise: ProducerFenced (somebody else owns it now), KafkaError or Unavailable (it
    is done anew), PraetorError (a person is needed). They return soon once `stopping` is set.
    """

    stopping: asyncio.Event
    ready: asyncio.Event  # set once it is taken over and works
    watch: Watch

    @property
    def position(self) -> int | None:
        """The next offset of the group's topic, for lag monitoring; None before it is known."""
        ...

    async def take_over(self) -> None:
        """Fence whoever had the partition, and find out where it stands."""
        ...

    async def run(self) -> None:
        """Work until asked to stop."""
        ...

    async def close(self) -> None:
        """Let go of everything; nothing raises."""
        ...


@dataclass(frozen=True)
class Group:
    """Which group, for which topic's partitions, and what to do with them.

    Attributes:
        begin: makes the work of a partition; called anew after each failure. What it raises ends the process.
        on_held: told the partitions held, after each change; none before a change.
        patient: where a person is needed, the partition stops and the others go on (it is tried again every
            5 s); otherwise the whole process ends with the message.
    """

    name: str
    topic: str
    begin: Callable[[int], Work]
    on_held: Callable[[list[int]], None]
    patient: bool
