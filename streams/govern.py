"""A worker of govern: owns the partitions that its group gives it, one pipeline each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from ledger.keys import SigningKey, VerifyKey
from runtime import metrics
from runtime.errors import PraetorError, Unavailable
from runtime.kafka import Ends, Options
from runtime.membership import Membership, NotAMember
from schemas.topics import ACTIONS
from streams.control import ControlFollower
from streams.pace import Pace
from streams.partition import Partition, Place
from streams.pipeline import Pipeline
from streams.takeover import Source
from streams.topics import check_topics

log = structlog.get_logger()

STOP_SECONDS = 10.0
RETRY_SECONDS = 0.5
STOPPED_RETRY_SECONDS = 5.0
LAG_SECONDS = 1.0


@dataclass(frozen=True)
class Keys:
    """The key that signs checkpoints, and those whose orders are believed."""

    ledger: SigningKey
    control: Sequence[VerifyKey]


class Worker:
    """Judges until `stop` is set. Several workers of one prefix share the partitions."""

    def __init__(self, options: Options, prefix: str, keys: Keys) -> None:
        self.stop = asyncio.Event()
        self._options = options
        self._prefix = prefix
        self._keys = keys
        self._control = ControlFollower(options, keys.control)
        self._ends = Ends(options)
        self._pace = Pace()
        self._memory: dict[int, Partition] = {}
        self._pipelines: dict[int, Pipeline] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._rejoin = asyncio.Event()
        self._membership: Membership | None = None

    async def run(self) -> None:
        """Join, judge, leave.

        Raises:
            PraetorError: there is no log, or its topics are missing or not of its partition count.
            Unavailable: no broker answers at the start.
        """
        try:
            await self._ends.start()
            await self._control.start()
            await check_topics(self._options, self._control.view, self._prefix)
            group = f"{self._prefix}praetor-govern-{self._control.view.log_id}"
            membership = Membership(self._options, group, [ACTIONS.name], self._assigned, self._revoked)
            self._membership = membership
            vital = [asyncio.create_task(c) for c in (self._control.follow(), membership.run())]
            try:
                await membership.start()
                await self._attend(membership, vital)
            finally:
                await membership.stop()
                for task in vital:
                    task.cancel()
                await asyncio.gather(*vital, return_exceptions=True)
        finally:
            await self._control.stop()
            await self._ends.stop()

    async def _attend(self, membership: Membership, vital: Sequence[asyncio.Task[None]]) -> None:
        while not await _set_within(self.stop, LAG_SECONDS):
            for task in (*vital, *self._tasks.values()):
                if task.done() and not task.cancelled():
                    task.result()
            if self._rejoin.is_set():
                self._rejoin.clear()
                log.warning("rejoining the group")
                await membership.rejoin()
            await self._commit_lag(membership)

    async def _commit_lag(self, membership: Membership) -> None:
        """Group offsets are for lag monitoring alone; one that is not accepted changes nothing."""
        offsets = {
            TopicPartition(ACTIONS.name, p): pipeline.partition.progress.next_source_offset
            for p, pipeline in self._pipelines.items()
            if pipeline.partition is not None and pipeline.ready.is_set()
        }
        try:
            if offsets:
                await membership.commit(offsets)
        except (NotAMember, KafkaError) as error:
            log.info("lag not committed", reason=str(error))

    async def _revoked(self, held: set[TopicPartition]) -> None:
        for pipeline in self._pipelines.values():
            pipeline.stopping.set()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for p in self._tasks:
            metrics.PARTITIONS_STOPPED.labels(str(p)).set(0)
        self._tasks.clear()
        self._pipelines.clear()
        metrics.PARTITIONS_OWNED.set(0)

    async def _assigned(self, held: set[TopicPartition]) -> None:
        partitions = sorted(tp.partition for tp in held)
        log.info("partitions assigned", partitions=partitions)
        self._memory = {p: memory for p, memory in self._memory.items() if p in partitions}
        for p in partitions:
            self._tasks[p] = asyncio.create_task(self._drive(p), name=f"pipeline-{p}")
        metrics.PARTITIONS_OWNED.set(len(partitions))

    async def _drive(self, partition: int) -> None:
        """Take over and judge, again and again, until revoked or no longer a member."""
        view = self._control.view
        if partition >= view.partitions:
            raise PraetorError(
                f"{ACTIONS.name} has grown: log {view.log_id} has {view.partitions} partitions, for good; "
                "agents' keys now lead elsewhere. Growing is a new log"
            )
        place = Place(view.log_id, partition, view.partitions)
        source = Source(self._options, self._ends, self._prefix)
        stopping, told = False, ""
        while not stopping:
            pipeline = Pipeline(source, place, self._control, self._pace, self._keys.ledger)
            self._pipelines[partition] = pipeline
            pause = RETRY_SECONDS
            try:
                if self._membership is None:
                    return
                await self._membership.confirm(TopicPartition(ACTIONS.name, partition))
                await pipeline.take_over(self._memory.pop(partition, None))
                told = ""
                await pipeline.run()
                return
            except (NotAMember, ProducerFenced) as error:
                log.warning("partition lost", partition=partition, reason=str(error) or type(error).__name__)
                self._rejoin.set()
                return
            except (KafkaError, Unavailable) as error:
                log.warning(
                    "taking the partition over anew", partition=partition, reason=str(error) or repr(error)
                )
            except PraetorError as error:
                pause = STOPPED_RETRY_SECONDS
                if told != str(error):
                    told = str(error)
                    log.error("partition stopped", partition=partition, reason=told)
            finally:
                metrics.PARTITIONS_STOPPED.labels(str(partition)).set(bool(told))
                if pipeline.partition is not None:
                    self._memory[partition] = pipeline.partition
                await pipeline.close()
            stopping = await _set_within(pipeline.stopping, pause)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
