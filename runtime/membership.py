"""Membership of a consumer group: which partitions are ours, and that we still belong.

Source of what is stated about aiokafka: its 0.14.0 code.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError

from runtime.abandon import cut
from runtime.insist import insist
from runtime.kafka import Options, started
from runtime.kafka_errors import refusal

log = structlog.get_logger()

LEAVE_SECONDS = 3.0

OnChange = Callable[[set[TopicPartition]], Awaitable[None]]


class NotAMember(Exception):
    """The group did not accept this member's generation: another may own the partition now."""


class Membership:
    """A member of a consumer group that only learns which partitions it owns; it reads no records.

    Rebalances are eager: `on_revoked` with all partitions held is awaited before `on_assigned` with all
    partitions now held (some may be in both). Both must be quick and must not raise: heartbeats go on, but
    the group waits at most 30 s. An owner that can no longer be sure (`NotAMember`, a fenced producer)
    calls `rejoin`. Not promised: that nobody else owns the partitions at the same time; only a producer's
    fencing keeps two owners apart.
    """

    def __init__(
        self, options: Options, group: str, topics: Iterable[str], on_assigned: OnChange, on_revoked: OnChange
    ) -> None:
        self._options = options
        self._group = group
        self._topics = tuple(topics)
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._held: set[TopicPartition] = set()
        self._consumer: AIOKafkaConsumer | None = None
        self._listener: _Listener | None = None
        self._changing = asyncio.Lock()
        self._telling = asyncio.Lock()
        self._joined = asyncio.Event()

    async def start(self, stop: asyncio.Event | None = None) -> bool:
        """Join, trying again until the broker is there or `stop` is set; whether it was joined.

        It returns after the first assignment, which may be empty.

        Raises:
            PraetorError: the group may not be joined.
        """
        async with self._changing:
            return await self._join_once_there("joining", stop)

    async def stop(self) -> None:
        """Revoke what is held and leave the group."""
        async with self._changing:
            await self._leave()

    async def rejoin(self, stop: asyncio.Event | None = None) -> bool:
        """Leave and join anew, as a new member, as `start` does."""
        async with self._changing:
            await self._leave()
            return await self._join_once_there("rejoining", stop)

    async def _join_once_there(self, doing: str, stop: asyncio.Event | None) -> bool:
        return await insist(self._join, f"{doing} group {self._group}", stop) is not None

    async def run(self) -> None:
        """Wait for ever, seeing to what the group's coordination comes to; run it beside the owner's work.

        Raises:
            PraetorError: this client may not join the group, or may no longer see its topic.
        """
        while True:
            await self._joined.wait()
            async with self._changing:
                consumer = self._consumer
            if consumer is not None:
                # all is paused: what comes out is errors, or a record that a race let through
                try:
                    with suppress(ConsumerStoppedError):
                        await consumer.getmany(timeout_ms=200, max_records=1)
                except KafkaError as error:
                    if person := refusal(error, self._options):
                        raise person from error
                    log.warning("the group's coordination failed, rejoining", reason=str(error))
                    await self.rejoin()
                await asyncio.sleep(0.2)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit offsets under the present generation.

        Raises:
            NotAMember: the generation is not accepted, or a partition is not assigned.
        """
        consumer = self._consumer
        if consumer is None:
            raise NotAMember(f"not in group {self._group}")
        try:
            await consumer.commit(dict(offsets))
        except (CommitFailedError, IllegalStateError) as error:
            raise NotAMember(f"group {self._group}: {error}") from error

    async def committed(self, tp: TopicPartition) -> int | None:
        """The offset that the group has committed of a partition; None where there is none.

        Raises:
            NotAMember: this client is in no group now.
        """
        consumer = self._consumer
        if consumer is None:
            raise NotAMember(f"not in group {self._group}")
        found: int | None = await consumer.committed(tp)
        return found

    async def confirm(self, tp: TopicPartition) -> None:
        """Have the generation accepted without moving the partition's committed offset (0, if there is none).

        Raises:
            NotAMember: as `commit`.
        """
        await self.commit({tp: await self.committed(tp) or 0})

    async def _join(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._options,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            heartbeat_interval_ms=1_000,
            session_timeout_ms=10_000,
            rebalance_timeout_ms=30_000,
            max_poll_interval_ms=2**31 - 1,
            fetch_max_bytes=1,
            max_partition_fetch_bytes=1,
        )
        self._listener = _Listener(self, consumer)
        consumer.subscribe(self._topics, listener=self._listener)
        try:
            self._consumer = await started(consumer, self._options)
        except BaseException:
            await self._leave()  # it may have been given partitions before it failed
            raise
        self._joined.set()
        return consumer

    async def _leave(self) -> None:
        self._joined.clear()
        consumer, self._consumer, self._listener = self._consumer, None, None
        await self._change(set())
        if consumer is not None:
            await _stop(consumer)

    async def changed(self, listener: "_Listener", held: set[TopicPartition]) -> None:
        """Called by the consumer's listener; a consumer that has been left no longer counts."""
        await self._change(held, listener)

    async def _change(self, held: set[TopicPartition], listener: "_Listener | None" = None) -> None:
        # one at a time: leaving waits until the owner has let go of what a rebalance just revoked
        async with self._telling:
            if listener is not self._listener:
                return
            revoked, self._held = self._held, held
            if revoked and not held:
                await self._on_revoked(revoked)
            if held:
                await self._on_assigned(held)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """Leave the group in good order; cut the consumer off where the broker does not let it in time."""
    stopping = asyncio.create_task(consumer.stop())
    try:
        await asyncio.wait([stopping], timeout=LEAVE_SECONDS)
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await cut(consumer)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, membership: Membership, consumer: AIOKafkaConsumer) -> None:
        self._membership = membership
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._membership.changed(self, set())

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.pause(*assigned)
        await self._membership.changed(self, set(assigned))
