"""From the buffer to the transport: one lane a partition, in order, until everything is acknowledged.

A lane has one batch under way. Where the transport gives a batch up, that lane goes on, from the same batch,
on a new connection; the other lanes let what they have under way end where it is, so that it is not
doubled. Only a batch that was given up may be in the log twice: its events carry the same numbers, and the
server marks the second ones (`duplicate_of`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable
from itertools import islice
from typing import Callable

from praetor.buffer import Buffer, Event
from praetor.lane import MOST, Connection, Lane, TooLarge

log = logging.getLogger("praetor")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
LOOKS = 50


class Sender:
    """Runs in an event loop of its own.

    Args:
        buffer: where events come from, and where what arrived is told.
        connect: opens a connection; tried again for as long as it raises one of `failures`.
        failures: what connecting and sending raise; sending also raises `TooLarge`.
        linger: seconds that events are gathered before they are sent.
        pause: seconds after a first failure; doubled with each one that follows.
    """

    def __init__(
        self,
        buffer: Buffer,
        connect: Callable[[], Awaitable[Connection]],
        failures: tuple[type[BaseException], ...],
        linger: float,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self.error: str | None = None
        self.refusal: str | None = None
        self.rejected: list[Event] = []
        self._buffer = buffer
        self._connect = connect
        self._failures = failures
        self._linger = linger
        self._pause = pause
        self._lanes: dict[int, Lane] = {}
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._users: Counter[Connection] = Counter()
        self._retired: set[Connection] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled."""
        loop = asyncio.get_running_loop()
        awaken = self._wake.set

        def wake() -> None:
            loop.call_soon_threadsafe(awaken)

        busy = 0
        while True:
            self._wake.clear()
            connection = await self._connected()
            # who wakes this loop pays for it: while there is traffic, it looks by itself
            busy = busy - 1 if self._linger else 0
            events = self._buffer.take(None if busy > 0 else wake)
            if events:
                self._route(connection, events)
                busy = LOOKS
            elif busy <= 0:
                await self._wake.wait()
            await asyncio.sleep(self._linger)

    def remaining(self) -> list[Event]:
        """What is not acknowledged, in order within each agent; what may have arrived comes first."""
        waiting = [event for lane in self._lanes.values() for event in lane.events]
        return [*self.rejected, *waiting, *self._buffer.take(None)]

    @property
    def uncertain(self) -> int:
        """How many events were handed over and are not acknowledged."""
        return sum(lane.under_way for lane in self._lanes.values())

    async def close(self) -> None:
        """Cut all connections."""
        for connection in (*self._retired, *([self._connection] if self._connection else [])):
            await connection.close()

    def _route(self, connection: Connection, events: list[Event]) -> None:
        touched = set()
        partitions: dict[bytes, int] = {}
        for event in events:
            key = event.agent.key
            partition = partitions.get(key)
            if partition is None:
                partition = partitions[key] = connection.partition(key)
                touched.add(partition)
            lane = self._lanes.get(partition)
            if lane is None:
                lane = self._lanes[partition] = Lane()
            lane.events.append(event)
        for partition in touched:
            lane = self._lanes[partition]
            if lane.task is None or lane.task.done():
                lane.task = asyncio.get_running_loop().create_task(self._drain(partition, lane))
                lane.task.add_done_callback(_tell_of_bug)

    async def _drain(self, partition: int, lane: Lane) -> None:
        pause = self._pause
        while lane.events:
            connection = await self._connected()
            self._users[connection] += 1
            try:
                count, arrival = await connection.send(partition, list(islice(lane.events, lane.most)))
                lane.under_way = max(lane.under_way, count)
                await arrival
            except TooLarge as error:
                self._retire(connection)
                self._shrink(lane, str(error))
            except self._failures as error:
                self._retire(connection)
                self._tell(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._arrived(lane, count)
                pause = self._pause
            finally:
                await self._leave(connection)

    def _arrived(self, lane: Lane, count: int) -> None:
        done = [lane.events.popleft() for _ in range(count)]
        lane.under_way = max(0, lane.under_way - count)
        lane.most = MOST
        self.error = None
        self._buffer.acknowledge(done)

    def _shrink(self, lane: Lane, error: str) -> None:
        lane.under_way = 0
        if lane.most > 1:
            lane.most = 1
            return
        event = lane.events.popleft()
        self.rejected.append(event)
        self.refusal = f"an event of agent {event.agent.name}, {len(event.value)} bytes, is refused: {error}"
        log.error("%s", self.refusal)
        self._buffer.reject(event)

    def _tell(self, error: BaseException) -> None:
        text = str(error)
        if text != self.error:
            log.warning("events are kept and will be sent again: %s", text)
        self.error = text

    def _retire(self, connection: Connection) -> None:
        self._retired.add(connection)
        if connection is self._connection:
            self._connection = None

    async def _leave(self, connection: Connection) -> None:
        self._users[connection] -= 1
        if connection in self._retired and not self._users[connection]:
            self._retired.discard(connection)
            del self._users[connection]
            await connection.close()

    async def _connected(self) -> Connection:
        pause = self._pause
        async with self._connecting:
            while self._connection is None:
                try:
                    self._connection = await self._connect()
                except self._failures as error:  # noqa: PERF203 - failing is rare
                    self._tell(error)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
            return self._connection


def _tell_of_bug(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("sending stopped: this is a bug; its events stay unsent", exc_info=task.exception())
