"""The archive: every decision, threat, dead letter, checkpoint, snapshot, incident and receipt, once each.

Owning partition n of agent.decisions is owning partition n of the other archived topics too.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from consumers.buffer import MAX_BYTES
from consumers.log_id import read_log_id
from consumers.partition import PartitionArchive
from consumers.place import ARCHIVED, Pace, Place, Room
from consumers.recovery import Log
from consumers.writing import Destination
from runtime.errors import PraetorError
from runtime.health import Health
from runtime.insist import insist
from runtime.kafka import FETCH_BYTES, Ends, Options, check_access, partition_counts
from runtime.lag import Lag
from runtime.ownership import Ownership
from runtime.work import Group
from schemas.access import topic_needs
from schemas.topics import ARCHIVE, DECISIONS, topic_name
from sinks.clickhouse import ClickHouseSink

# What all partitions of a process may hold and read ahead, and the least of one.
BUFFER_BYTES, LEAST_BUFFER = 128 << 20, 2 << 20
READ_BYTES, LEAST_FETCH = 32 << 20, 256 << 10


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
    """Archives until `stop` is set. Several processes of one prefix share the partitions.

    `ready` is called in a thread before anything else; what it raises says what ClickHouse lacks.
    """

    def __init__(
        self,
        options: Options,
        sink: ClickHouseSink,
        job: Job,
        health: Health | None = None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.stop = asyncio.Event()
        self._options = options
        self._job = job
        self._ready = ready
        self._ends = Ends(options)
        self._sink = Destination(sink, job.inserts)
        self._log_id = job.log_id
        self._work: dict[int, PartitionArchive] = {}
        self._room = Room()
        self._health = health or Health()
        self._lag = Lag(options, self._ends, lambda: self._decisions, lambda: self._work)
        self._health.check("broker", self._lag.broker.check)
        self._health.check("clickhouse", self._sink.check)
        self._health.check("lag", self._lag.check)

    async def run(self) -> None:
        """Wait for the broker and ClickHouse, join, archive, leave.

        Raises:
            PraetorError: something cannot be archived, or is missing; every partition is stopped.
        """
        try:
            if not await insist(self._open, "start archiving", self.stop):
                return
            name = f"{self._job.prefix}praetor-archive-{self._log_id}"
            group = Group(name, self._decisions, self._begin, self._held, patient=False)
            await Ownership(self._options, group, self._health).run(self.stop, self._lag.follow())
        finally:
            await self._sink.close()
            await self._ends.stop()

    async def _open(self) -> bool:
        await self._ends.stop()  # what an attempt before has left
        await asyncio.to_thread(self._ready)
        await self._check_topics()
        await self._ends.start()
        self._log_id = self._log_id or await read_log_id(self._options, self._ends)
        await self._sink.open()
        return True

    @property
    def _decisions(self) -> str:
        return topic_name(DECISIONS, self._job.prefix)

    async def _check_topics(self) -> None:
        await check_access(self._options, topic_needs("archive", self._job.prefix))
        names = [topic_name(topic, self._job.prefix) for topic in (*(t for t, _ in ARCHIVED), ARCHIVE)]
        counts = await partition_counts(self._options, names)
        if len(set(counts.values())) != 1:
            raise PraetorError(
                f"these topics must have the same number of partitions, but have: "
                f"{', '.join(f'{name} {count}' for name, count in counts.items())}"
            )

    def _held(self, partitions: list[int]) -> None:
        self._work = {}
        self._room = room(len(partitions))

    def _begin(self, partition: int) -> PartitionArchive:
        place = Place(self._log_id, partition, self._job.prefix)
        log = Log(self._options, self._ends)
        self._work[partition] = PartitionArchive(log, self._sink, place, self._job.pace, self._room)
        return self._work[partition]


def room(partitions: int) -> Room:
    """What each of so many partitions may hold in memory."""
    each = max(1, partitions)
    return Room(
        buffer=max(LEAST_BUFFER, min(MAX_BYTES, BUFFER_BYTES // each)),
        fetch=max(LEAST_FETCH, min(FETCH_BYTES, READ_BYTES // each)),
    )
