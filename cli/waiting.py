"""Waits until what was published is decided and stored: by offsets, so that nothing is guessed."""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.progress import Progress

from runtime.errors import PraetorError
from runtime.settings import Settings
from streams.producing import Published

POLL_SECONDS = 0.25
RANGES_A_QUERY = 200


def connect(settings: Settings) -> Any:
    """A client of ClickHouse's HTTP interface, one that threads may share."""
    parts = urlsplit(settings.clickhouse_url)
    return clickhouse_connect.get_client(
        host=parts.hostname,
        port=parts.port or (8443 if parts.scheme == "https" else 8123),
        interface=parts.scheme,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        autogenerate_session_id=False,
    )


class Arrivals:
    """Counts, per partition, which of the published offsets are rows of a table.

    Each offset of agent.actions ends as one decision or one dead letter; once the rows of both are as many as
    the offsets, all have arrived. Partitions that are complete are asked for no more.
    """

    def __init__(self, client: Any, database: str, published: Published) -> None:
        self._client = client
        self._database = database
        self._since = published.first_append_ms
        self._open = {partition: list(ranges) for partition, ranges in published.ranges.items()}
        self._wanted = {
            partition: sum(last - first + 1 for first, last in ranges)
            for partition, ranges in self._open.items()
        }
        self.rows = {"decisions": dict.fromkeys(self._open, 0), "dead_letters": dict.fromkeys(self._open, 0)}

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
                f"SELECT partition, uniqExact(source_offset) FROM {self._database}.{table}"  # noqa: S608
                f" WHERE {since}({condition}) GROUP BY partition"
            )
            for partition, rows in found.result_rows:
                counts[partition] += rows
        return counts


async def wait_for_decisions(
    settings: Settings, published: Published, timeout: float, progress: Progress
) -> dict[str, Any]:
    """Wait until every published action is a row of `decisions` or of `dead_letters`.

    `timeout` is in seconds without any new row.

    Raises:
        PraetorError: ClickHouse does not answer, or nothing more arrives: which part is behind.
    """
    begun = moved = time.monotonic()
    bar = progress.add_task("in ClickHouse", total=published.count)
    arrived = 0
    try:
        client = await asyncio.to_thread(connect, settings)
        arrivals = Arrivals(client, settings.clickhouse_database, published)
        while (now := await asyncio.to_thread(arrivals.poll)) < published.count:
            if now > arrived:
                arrived, moved = now, time.monotonic()
            progress.update(bar, completed=now)
            if time.monotonic() - moved > timeout:
                raise PraetorError(_behind(arrivals, published.count, now, timeout))
            await asyncio.sleep(POLL_SECONDS)
    except ClickHouseError as error:
        raise PraetorError(f"ClickHouse at {settings.clickhouse_url}: {str(error)[:500]}") from error
    progress.update(bar, completed=arrived)
    totals = {table: sum(rows.values()) for table, rows in arrivals.rows.items()}
    return {**totals, "wait_seconds": round(time.monotonic() - begun, 3)}


def _behind(arrivals: Arrivals, published: int, arrived: int, timeout: float) -> str:
    missing = arrivals.missing()
    return f"{published - arrived} of {published} not in ClickHouse after {timeout} s: {missing}"
