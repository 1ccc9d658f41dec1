"""What one destination reads: the partitions that its group gives this process, from where it stands."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from consumers.delivery.lagging import Place
from consumers.delivery.skips import Skips
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, start_consumer
from runtime.membership import Membership

log = structlog.get_logger()

Start = Literal["earliest", "latest"]
Records = Mapping[TopicPartition, Sequence[ConsumerRecord]]

POLL_MS = 300
RELEASE_SECONDS = 10.0
# one destination among many: what it reads ahead is little
PARTITION_BYTES, FETCH_BYTES = 1 << 20, 4 << 20


def group_of(destination: str, log_id: str, prefix: str) -> str:
    """The consumer group of a destination."""
    return f"{prefix}praetor-deliver-{log_id}-{destination}"


class Feed:
    """The records for one destination. One task reads; `changed` is set while what is held is changing.

    A partition without a committed offset begins at `start`, and that is committed at once: from then on the
    group's offset says where a destination stands.
    """

    def __init__(
        self, options: Options, ends: Ends, group: str, topics: Sequence[str], start: Start, skips: Skips
    ) -> None:
        self.changed = asyncio.Event()
        self.held: frozenset[TopicPartition] = frozenset()
        self._options = options
        self._ends = ends
        self._start = start
        self._skips = skips
        self._consumer: AIOKafkaConsumer | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._gaps: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._undone: dict[TopicPartition, Place] = {}
        self.membership = Membership(options, group, topics, self._assigned, self._revoked)

    @property
    def lost(self) -> int:
        """Records that retention removed before the destination had them, in what is held."""
        return sum(self._gaps.values())

    def places(self) -> Mapping[TopicPartition, Place]:
        """Where the destination stands in what is held; what was read and is not done is not had."""
        return {tp: Place(at, None) for tp, at in self._positions.items()} | self._undone

    async def _revoked(self, held: set[TopicPartition]) -> None:
        self.held = frozenset()
        self.changed.set()
        # who delivers lets go of what it holds: what it does not finish, the next owner sends again
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), RELEASE_SECONDS)

    async def _assigned(self, held: set[TopicPartition]) -> None:
        self.held = frozenset(held)
        self.changed.set()

    async def stand(self) -> None:
        """Stand where the group stands, in all partitions that are held now.

        Raises:
            NotAMember: what is held has changed meanwhile.
            PraetorError: retention has removed records that this destination has not had.
            KafkaError, Unavailable: not now.
        """
        self.changed.clear()
        held = self.held
        if self._consumer is None:
            self._consumer = await start_consumer(
                self._options,
                "read_committed",
                max_partition_fetch_bytes=PARTITION_BYTES,
                fetch_max_bytes=FETCH_BYTES,
            )
        self._undone, self._positions, self._gaps = {}, {}, {}
        told = [why for tp in sorted(held) if (why := await self._place(tp))]
        if told:
            raise PraetorError("; ".join(told))
        self._consumer.assign(sorted(held))
        for tp, offset in self._positions.items():
            self._consumer.seek(tp, offset)

    async def _place(self, tp: TopicPartition) -> str:
        """Find where a partition stands; what is wrong with it, if anything is."""
        committed = await self.membership.committed(tp)
        beginning = await self._ends.beginning(tp)
        if committed is None:
            committed = beginning if self._start == "earliest" else await self._ends.last_stable(tp)
            await self.membership.commit({tp: committed})
        if committed < beginning and (beyond := await self._skips.beyond(tp, committed)) is not None:
            log.warning("records are passed over", topic=tp.topic, partition=tp.partition, until=beyond)
            await self.membership.commit({tp: beyond})
            committed = beyond
        self._positions[tp] = committed
        if committed >= beginning:
            return ""
        self._gaps[tp] = beginning - committed
        name = self._skips.destination
        return (
            f"{tp.topic}/{tp.partition} begins at offset {beginning}, but {name} stands at {committed}: "
            f"retention has removed up to {beginning - committed} records that were not delivered. To go on"
            f" without them: praetor deliveries skip {name}"
        )

    async def read(self, most: int) -> Records:
        """The next records, a few milliseconds' worth; none where nothing is new.

        Raises:
            KafkaError: the broker does not let it be done now.
        """
        if self._consumer is None or not self.held:
            await asyncio.sleep(POLL_MS / 1000)
            return {}
        found: Records = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=most)
        for tp in self._consumer.assignment():
            self._positions[tp] = await self._consumer.position(tp)
        for tp, records in found.items():
            self._undone.setdefault(tp, Place(records[0].offset, records[0].timestamp))
        return found

    async def done(self, records: Records) -> None:
        """Commit that these were delivered.

        Raises:
            NotAMember: somebody else may own a partition now; it sends them again.
        """
        await self.membership.commit({tp: found[-1].offset + 1 for tp, found in records.items() if found})
        for tp in records:
            self._undone.pop(tp, None)

    def busy(self) -> None:
        """Something is being delivered: who revokes waits for it."""
        self._idle.clear()

    def idle(self) -> None:
        """Nothing is."""
        self._idle.set()

    async def close(self) -> None:
        """Stop reading; the membership is its owner's."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
