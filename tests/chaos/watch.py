"""How far the stack has come, asked anew each time: nothing here can be stale after a fault."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from runtime.errors import PraetorError, Unavailable
from runtime.kafka import read_partition
from schemas.topics import ACTIONS, ARCHIVE, CHECKPOINTS, DEAD_LETTERS, DECISIONS, SNAPSHOTS, STATE, THREATS
from sinks.connection import connect
from streams.progress import PROGRESS_KEY, Progress, read_progress
from tests.chaos.stack import PARTITIONS, ChaosStack
from tests.streams.reading import asking

T = TypeVar("T")
ASK_SECONDS = 20.0
TAIL = 400
WRITTEN = (ACTIONS, DECISIONS, STATE, CHECKPOINTS, DEAD_LETTERS, THREATS, SNAPSHOTS, ARCHIVE)


class Behind(Exception):
    """The stack did not catch up; the message says what is behind where."""


class Watch:
    """Waits until what had been sent is judged and archived. Notes where progress went backwards."""

    def __init__(self, stack: ChaosStack) -> None:
        self._stack = stack
        self._clients: list[Client] = []
        self.newest: dict[int, Progress] = {}
        self.backwards: list[str] = []

    async def caught_up(self, seconds: float) -> None:
        """Return once all that is in agent.actions now is judged, and its decisions are in ClickHouse.

        Raises:
            Behind: not within so many seconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        ends: dict[int, int] = {}
        wanted: dict[int, int] = {}
        where = "the broker does not answer"
        while loop.time() < deadline:
            with suppress(KafkaError, Unavailable, TimeoutError):
                ends = ends or await asyncio.wait_for(self._ends(), ASK_SECONDS)
                if not wanted:
                    progress = await asyncio.wait_for(self._progress(), ASK_SECONDS)
                    where = _unjudged(ends, progress)
                    wanted = {} if where else {p: progress[p].next_seq for p in ends}
                if wanted:
                    where = await self._unarchived(wanted)
                if not where:
                    return
            await asyncio.sleep(0.1)
        raise Behind(f"not caught up after {seconds:.0f} s: {where}{await self._open()}")

    async def _open(self) -> str:
        """Where transactions are open: what lies behind them nobody reads."""
        found = []
        with suppress(KafkaError, Unavailable, TimeoutError):
            async with asyncio.timeout(ASK_SECONDS), asking(self._stack.options) as ends:
                for topic in WRITTEN:
                    for tp in (TopicPartition(topic.name, p) for p in range(PARTITIONS)):
                        stable, end = await ends.last_stable(tp), await ends.high_watermark(tp)
                        if stable < end:
                            found.append(f"{tp.topic}/{tp.partition} {stable} of {end}")
        return f"; stable up to: {', '.join(found)}" if found else ""

    async def _unarchived(self, wanted: dict[int, int]) -> str:
        rows = await self.ask("SELECT partition, count() FROM decisions GROUP BY partition")
        if rows is None:
            return "ClickHouse does not answer"
        there = {int(p): int(n) for p, n in rows}
        return ", ".join(
            f"partition {p} has {there.get(p, 0)} of {n} decisions in ClickHouse"
            for p, n in wanted.items()
            if there.get(p, 0) < n
        )

    async def _ends(self) -> dict[int, int]:
        async with asking(self._stack.options) as ends:
            return {p: await ends.high_watermark(TopicPartition(ACTIONS.name, p)) for p in range(PARTITIONS)}

    async def _progress(self) -> dict[int, Progress]:
        async with asking(self._stack.options) as ends:
            for p in range(PARTITIONS):
                tp = TopicPartition(STATE.name, p)
                end, size = await ends.last_stable(tp), TAIL
                while not await self._newest(tp, max(await ends.beginning(tp), end - size), end):
                    size *= 4
        return self.newest

    async def _newest(self, tp: TopicPartition, start: int, end: int) -> bool:
        found = False
        async for records in read_partition(self._stack.options, tp, start, end):
            for record in records:
                if record.key == PROGRESS_KEY:
                    newest, found = read_progress(record.value, "chaos"), True
        if found:
            self._note(tp.partition, newest)
        return found

    def _note(self, partition: int, progress: Progress) -> None:
        before = self.newest.get(partition)
        if before is not None and progress.next_source_offset < before.next_source_offset:
            self.backwards.append(
                f"partition {partition}: progress went back from {before.next_source_offset}"
                f" to {progress.next_source_offset}"
            )
        self.newest[partition] = progress

    async def ask(self, sql: str) -> list[tuple[Any, ...]] | None:
        """Rows of ClickHouse; None while it does not answer."""
        return await self._patiently(lambda: self._ask(sql))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T | None:
        try:
            return await asyncio.wait_for(call(), ASK_SECONDS)
        except (Unavailable, PraetorError, ClickHouseError, TimeoutError):
            self._clients.clear()
            return None

    async def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        if not self._clients:
            self._clients.append(await asyncio.to_thread(connect, self._stack.settings))
        result = await asyncio.to_thread(self._clients[0].query, sql)
        return [tuple(row) for row in result.result_rows]


def _unjudged(ends: dict[int, int], progress: dict[int, Progress]) -> str:
    return ", ".join(
        f"partition {p} is judged up to {progress[p].next_source_offset} of {end}"
        for p, end in ends.items()
        if progress[p].next_source_offset < end
    )
