"""The archive: every decision, threat, dead letter and checkpoint into ClickHouse, once each.

Owning partition n of agent.decisions is owning partition n of the other archived topics too.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from consumers.log_id import read_log_id
from consumers.partition import PartitionArchive
from consumers.place import ARCHIVED, Pace, Place
from consumers.recovery import Log
from consumers.writing import Destination
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Ends, Options, partition_counts
from runtime.membership import Membership, NotAMember
from schemas.topics import ARCHIVE, DECISIONS, topic_name
from sinks.clickhouse import ClickHouseSink

log = structlog.get_logger()

STOP_SECONDS = 10.0
RETRY_SECONDS = 0.5
LAG_SECONDS = 2.0


@dataclass(frozen=True)
class Job:
    """What to archive, and how.

    Attributes:
        prefix: of the topics.
        log_id: the log; read from agent.control if "".
        pace: how long records wait for more.
        inserts: how many inserts may run at the same time.
    """

    prefix: str = ""
    log_id: str = ""
    pace: Pace = field(default_factory=Pace)
    inserts: int = 2


class Archive:
    """Archives until `stop` is set. Several processes of one prefix share the partitions."""

    def __init__(self, options: Options, sink: ClickHouseSink, job: Job) -> None:
        self.stop = asyncio.Event()
        self._options = options
        self._job = job
        self._ends = Ends(options)
        self._sink = Destination(sink, job.inserts)
        self._log_id = job.log_id
        self._running: dict[int, PartitionArchive] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._rejoin = asyncio.Event()
        self._membership: Membership | None = None

    async def run(self) -> None:
        """Join, archive, leave.

        Raises:
            PraetorError: something cannot be archived, or is missing; every partition is stopped.
            Unavailable: no broker answers at the start.
        """
        await self._check_topics()
        await self._ends.start()
        try:
            self._log_id = self._log_id or await read_log_id(self._options, self._ends)
            await self._sink.open()
            group = f"{self._job.prefix}praetor-archive-{self._log_id}"
            self._membership = Membership(
                self._options, group, [self._decisions], self._assigned, self._revoked
            )
            coordination = asyncio.create_task(self._membership.run())
            try:
                await self._membership.start()
                await self._attend(self._membership, coordination)
            finally:
                coordination.cancel()
                await asyncio.gather(coordination, return_exceptions=True)
                await self._membership.stop()
        finally:
            await self._sink.close()
            await self._ends.stop()

    @property
    def _decisions(self) -> str:
        return topic_name(DECISIONS, self._job.prefix)

    async def _check_topics(self) -> None:
        names = [topic_name(topic, self._job.prefix) for topic in (*(t for t, _ in ARCHIVED), ARCHIVE)]
        counts = await partition_counts(self._options, names)
        if len(set(counts.values())) != 1:
            raise PraetorError(
                f"these topics must have the same number of partitions, but have: "
                f"{', '.join(f'{name} {count}' for name, count in counts.items())}"
            )

    async def _attend(self, membership: Membership, coordination: asyncio.Task[None]) -> None:
        stopped = asyncio.create_task(self.stop.wait())
        try:
            while not self.stop.is_set():
                vital: Sequence[asyncio.Task[None]] = (coordination, *self._tasks.values())
                waited = [task for task in vital if not task.done()]
                await asyncio.wait(
                    (*waited, stopped), timeout=LAG_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in vital:
                    if task.done() and not task.cancelled():
                        task.result()
                if self._rejoin.is_set() and not self.stop.is_set():
                    self._rejoin.clear()
                    log.warning("rejoining the group")
                    await membership.rejoin()
                await self._commit_lag(membership)
        finally:
            stopped.cancel()

    async def _commit_lag(self, membership: Membership) -> None:
        """Group offsets are for lag monitoring alone; one that is not accepted changes nothing."""
        offsets = {
            tp: offset
            for running in self._running.values()
            for tp, offset in running.archived.items()
            if tp.topic == self._decisions
        }
        try:
            if offsets:
                await membership.commit(offsets)
        except (NotAMember, KafkaError) as error:
            log.info("lag not committed", reason=str(error))

    async def _revoked(self, held: set[TopicPartition]) -> None:
        for running in self._running.values():
            running.stopping.set()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._tasks = {p: t for p, t in self._tasks.items() if not t.cancelled() and t.exception()}
        self._running.clear()

    async def _assigned(self, held: set[TopicPartition]) -> None:
        partitions = sorted(tp.partition for tp in held)
        log.info("partitions assigned", partitions=partitions)
        for p in partitions:
            self._tasks[p] = asyncio.create_task(self._drive(p), name=f"archive-{p}")

    async def _drive(self, partition: int) -> None:
        """Take over and archive, again and again, until revoked or no longer a member."""
        place = Place(self._log_id, partition, self._job.prefix)
        stopping = False
        while not stopping and self._membership is not None:
            running = PartitionArchive(Log(self._options, self._ends), self._sink, place, self._job.pace)
            self._running[partition] = running
            try:
                await self._membership.confirm(TopicPartition(self._decisions, partition))
                await running.take_over()
                await running.run()
                return
            except (NotAMember, ProducerFenced) as error:
                log.warning("partition lost", partition=partition, reason=str(error) or type(error).__name__)
                self._rejoin.set()
                return
            except (KafkaError, Unavailable) as error:
                reason = str(error) or repr(error)
                log.warning("taking the partition over anew", partition=partition, reason=reason)
            finally:
                await running.close()
            stopping = await _set_within(running.stopping, RETRY_SECONDS)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
