"""How far one destination is behind: looked at every second, told as metrics, also while it is away."""

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from runtime import metrics
from runtime.errors import PraetorError, Unavailable
from runtime.health import Facts
from runtime.kafka import Ends, Options
from runtime.lag import append_time

log = structlog.get_logger()

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 5.0


class Place(NamedTuple):
    """Where a destination stands in a partition.

    Attributes:
        offset: of the first record that it has not had.
        oldest_ms: the broker's append time of that record, where it is in hand.
    """

    offset: int
    oldest_ms: int | None


class Standing(Protocol):
    """What knows where a destination stands."""

    def places(self) -> Mapping[TopicPartition, Place]:
        """The partitions that are held."""
        ...

    @property
    def lost(self) -> int:
        """Records that retention removed before the destination had them."""
        ...


class Lagging:
    """Watches one destination. Not promised: exactness to the record; markers of transactions count."""

    def __init__(self, options: Options, ends: Ends, name: str, standing: Standing) -> None:
        """Take the destination's name, and what knows where it stands."""
        self.records = 0
        self.oldest_seconds = 0.0
        self._options = options
        self._ends = ends
        self._name = name
        self._standing = standing
        self._known: dict[TopicPartition, tuple[int, int | None]] = {}

    def facts(self) -> Facts:
        """For the health endpoint."""
        return {
            "lag": self.records,
            "oldest_seconds": round(self.oldest_seconds, 1),
            "lost": self._standing.lost,
        }

    async def follow(self) -> None:
        """Look every second until cancelled; a broker that does not answer is only noted."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._look()
            except (KafkaError, Unavailable, PraetorError, TimeoutError) as error:
                log.debug("lag of a destination unknown", destination=self._name, reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        metrics.DELIVERY_LOST.labels(self._name).set(self._standing.lost)
        places = dict(self._standing.places())
        ends = await self._ends.last_stables(sorted(places))
        waiting = {tp: ends[tp] - place.offset for tp, place in places.items() if ends[tp] > place.offset}
        ages = [await self._age(tp, places[tp]) for tp in waiting]
        self._known = {tp: known for tp, known in self._known.items() if tp in waiting}
        self.records, self.oldest_seconds = sum(waiting.values()), max(ages, default=0.0)
        metrics.DELIVERY_LAG.labels(self._name).set(self.records)
        metrics.DELIVERY_OLDEST_AGE.labels(self._name).set(self.oldest_seconds)

    async def _append_time(self, tp: TopicPartition, offset: int) -> int | None:
        try:
            return await append_time(self._options, tp, offset)
        except OffsetOutOfRangeError:
            return None  # retention has removed it: `lost` says so

    async def _age(self, tp: TopicPartition, place: Place) -> float:
        """Seconds since the first record that waits was appended; 0 where only markers are left."""
        at = place.oldest_ms
        if at is None:
            known = self._known.get(tp)
            if known is None or known[0] != place.offset:
                # asked at the second look only: what is read at once needs no asking
                self._known[tp] = place.offset, None
                return 0.0
            if known[1] is None:
                found = await self._append_time(tp, place.offset)
                self._known[tp] = known = place.offset, found if found is not None else 0
            at = known[1] or None
        return 0.0 if at is None else max(0.0, time.time() - at / 1000)
