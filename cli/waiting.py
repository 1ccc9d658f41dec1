"""Waits until what was published is decided and stored: by offsets, so that nothing is guessed."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition
from clickhouse_connect.driver.client import Client
from rich.progress import Progress

from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Ends, common_options, read_partition
from runtime.settings import Settings
from schemas.topics import STATE, topic_name
from sinks.connection import connect, errors_of
from sinks.tables import DEAD_LETTERS, DECISIONS
from streams.producing import Published
from streams.progress import PROGRESS_KEY, read_progress
from streams.progress import Progress as JudgedUpTo

POLL_SECONDS = 0.25
RANGES_A_QUERY = 200
TAIL_OFFSETS = 2_000
BROKER_SECONDS = 10


class Arrivals:
    """Counts, per partition, which of the published offsets are rows of a table.

    Each offset of agent.actions ends as one decision or one dead letter; once the rows of both are as many as
    the offsets, all have arrived. Partitions that are complete are asked for no more.
    """

    def __init__(self, client: Client, published: Published) -> None:
        self._client = client
        self._since = published.first_append_ms
        self._open = {partition: list(ranges) for partition, ranges in published.ranges.items()}
        self._wanted = {
            partition: sum(last - first + 1 for first, last in ranges)
            for partition, ranges in self._open.items()
        }
        self.rows = {table.name: dict.fromkeys(self._open, 0) for table in (DECISIONS, DEAD_LETTERS)}

    def poll(self) -> int:
        """Ask once; return how many of the published actions have arrived so far."""
        if self._open:
            for table, rows in self.rows.items():
                rows.update(self._count(table))
        for partition in list(self._open):
            if self._arrived(partition) >= self._wanted[partition]:
                del self._open[partition]
        return sum(self._arrived(partition) for partition in self._wanted)

    def missing(self) -> dict[int, int]:
        """How many actions of each incomplete partition have not arrived."""
        return {partition: self._wanted[partition] - self._arrived(partition) for partition in self._open}

    def last_offsets(self) -> dict[int, int]:
        """The last published offset of each incomplete partition."""
        return {partition: ranges[-1][1] for partition, ranges in self._open.items()}

    def _arrived(self, partition: int) -> int:
        return sum(rows[partition] for rows in self.rows.values())

    def _count(self, table: str) -> dict[int, int]:
        counts = dict.fromkeys(self._open, 0)
        wanted = [
            f"(partition = {partition} AND source_offset BETWEEN {first} AND {last})"
            for partition, ranges in self._open.items()
            for first, last in ranges
        ]
        since = "" if self._since is None else f"received_at >= fromUnixTimestamp64Milli({self._since}) AND "
        for begin in range(0, len(wanted), RANGES_A_QUERY):
            condition = " OR ".join(wanted[begin : begin + RANGES_A_QUERY])
            found = self._client.query(
                f"SELECT partition, uniqExact(source_offset) FROM {table}"  # noqa: S608
                f" WHERE {since}({condition}) GROUP BY partition"
            )
            for partition, rows in found.result_rows:
                counts[partition] += rows
        return counts


async def wait_for_decisions(
    settings: Settings, published: Published, timeout: float, progress: Progress
) -> dict[str, Any]:
    """Wait until every published action is a row of `decisions` or of `dead_letters`.

    `timeout` is in seconds without any new row. A ClickHouse that does not answer for a while is waited for.

    Raises:
        Unavailable: ClickHouse does not answer.
        PraetorError: ClickHouse refuses, or nothing more arrives: the message says which part is behind.
    """
    begun = moved = time.monotonic()
    bar = progress.add_task("in ClickHouse", total=published.count)
    client = await asyncio.to_thread(connect, settings)
    try:
        arrivals = Arrivals(client, published)
        arrived = 0
        while (now := await asyncio.to_thread(_poll, arrivals, settings, arrived)) < published.count:
            if now > arrived:
                arrived, moved = now, time.monotonic()
            progress.update(bar, completed=now)
            if time.monotonic() - moved > timeout:
                raise PraetorError(await explain_delay(settings, arrivals, published.count, now, timeout))
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await asyncio.to_thread(client.close)
    progress.update(bar, completed=published.count)
    totals = {table: sum(rows.values()) for table, rows in arrivals.rows.items()}
    return {**totals, "wait_seconds": round(time.monotonic() - begun, 3)}


def _poll(arrivals: Arrivals, settings: Settings, arrived: int) -> int:
    try:
        with errors_of(settings):
            return arrivals.poll()
    except Unavailable:
        return arrived  # it may come back; the caller's timeout counts on


async def explain_delay(
    settings: Settings, arrivals: Arrivals, published: int, arrived: int, timeout: float
) -> str:
    """Say in words what is missing, and whether govern or the archive is behind."""
    missing, last = arrivals.missing(), arrivals.last_offsets()
    judged = await judged_before(settings, sorted(missing))
    unjudged = {p: last[p] + 1 - offset for p, offset in judged.items() if offset <= last[p]}
    head = (
        f"nothing arrived in ClickHouse for {timeout:g} s: {published - arrived} of {published} actions are"
        f" not there, in partitions {', '.join(map(str, sorted(missing)))}. "
    )
    if unjudged:
        worst = max(unjudged, key=lambda p: unjudged[p])
        return head + (
            f"govern is behind: in partition {worst} the next to judge is offset {judged[worst]}, the last"
            f" published is {last[worst]}. Does `praetor govern` run? See `praetor status`"
        )
    return head + (
        "govern has judged them all, so the archive is behind. Does `praetor archive` run?"
        " See `praetor status` and `praetor logs archive`"
    )


async def judged_before(settings: Settings, partitions: list[int]) -> dict[int, int]:
    """Each partition's next action to judge, by its newest progress record; 0 where there is none.

    Raises:
        Unavailable, PraetorError: as `newest_progress`.
    """
    found = await newest_progress(settings, partitions)
    return {p: found[p].next_source_offset if p in found else 0 for p in partitions}


async def newest_progress(settings: Settings, partitions: Iterable[int]) -> dict[int, JudgedUpTo]:
    """Each partition's newest progress record; partitions that have none are left out.

    Raises:
        Unavailable: no broker answers.
        PraetorError: a transaction on agent.state stays open, or a progress record does not decode.
    """
    options = common_options(settings)
    ends = Ends(options)
    found: dict[int, JudgedUpTo] = {}
    try:
        await ends.start()
        async with asyncio.timeout(BROKER_SECONDS):
            for partition in partitions:
                tp = TopicPartition(topic_name(STATE, settings.topic_prefix), partition)
                end = await ends.stable_end(tp)
                start = max(await ends.beginning(tp), end - TAIL_OFFSETS)
                async for records in read_partition(options, tp, start, end):
                    for record in records:
                        if record.key == PROGRESS_KEY:
                            found[partition] = read_progress(record.value, f"{tp.topic}/{tp.partition}")
    except TimeoutError as error:
        raise PraetorError("agent.state cannot be read: a transaction stays open; try again later") from error
    finally:
        await ends.stop()
    return found
