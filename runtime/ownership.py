"""Keeps one piece of work going for each partition that a group gives this process."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from runtime import metrics
from runtime.errors import PraetorError, Unavailable
from runtime.health import Check, Health
from runtime.kafka import Options
from runtime.kafka_errors import refusal
from runtime.membership import Membership, NotAMember
from runtime.work import Group, Work

log = structlog.get_logger()

STOP_SECONDS = 10.0
RETRY_SECONDS = 0.5
STOPPED_RETRY_SECONDS = 5.0
LAG_SECONDS = 1.0


class Ownership:
    """Membership of a group, and the work that comes with it."""

    def __init__(self, options: Options, group: Group, health: Health | None = None) -> None:
        self._group = group
        self._options = options
        self._health = health or Health()
        self._health.check("partitions", self._check)
        self._joined = False
        self._told: dict[int, str] = {}
        self._membership = Membership(options, group.name, [group.topic], self._assigned, self._revoked)
        self._work: dict[int, Work] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._rejoin = asyncio.Event()

    async def run(self, stop: asyncio.Event, *beside: Coroutine[Any, Any, None]) -> None:
        """Join, work until `stop` is set, leave. `beside` runs along and must not end before.

        Raises:
            PraetorError: a person is needed, and the group is not patient.
        """
        vital = [asyncio.create_task(c) for c in (*beside, self._membership.run())]
        try:
            self._joined = await self._membership.start(stop)
            while not stop.is_set():
                await self._attend(stop, vital)
        finally:
            await self._membership.stop()
            for task in vital:
                task.cancel()
            await asyncio.gather(*vital, return_exceptions=True)
        for task in self._tasks.values():
            task.result()

    async def _attend(self, stop: asyncio.Event, vital: Sequence[asyncio.Task[None]]) -> None:
        stopped = asyncio.create_task(stop.wait())
        watched = [t for t in (*vital, *self._tasks.values()) if not t.done()]
        try:
            await asyncio.wait((stopped, *watched), timeout=LAG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        for task in (*vital, *self._tasks.values()):
            if task.done() and not task.cancelled():
                task.result()
        if self._rejoin.is_set() and not stop.is_set():
            self._rejoin.clear()
            log.warning("rejoining the group")
            metrics.REJOINS.inc()
            await self._membership.rejoin(stop)
        metrics.PARTITIONS_READY.set(sum(work.ready.is_set() for work in self._work.values()))
        await self._commit_lag()

    def _check(self) -> Check:
        """Asked by another thread: every partition owned is taken over."""
        owned, stopped = sorted(self._tasks), dict(self._told)
        ready = [p for p, work in list(self._work.items()) if work.ready.is_set()]
        facts = {"owned": len(owned), "taken_over": len(ready), "joined": self._joined}
        waiting = {str(p): self._doing(p) for p in owned if p not in ready and p not in stopped}
        reasons = {str(p): reason for p, reason in sorted(stopped.items())}
        well = self._joined and not waiting and not stopped
        return Check(well, {**facts, "taking_over": waiting, "stopped": reasons})

    def _doing(self, partition: int) -> str:
        work = self._work.get(partition)
        return work.watch.doing if work is not None else "starting"

    async def _commit_lag(self) -> None:
        """Group offsets are for lag monitoring alone; one that is not accepted changes nothing."""
        known = {TopicPartition(self._group.topic, p): work.position for p, work in self._work.items()}
        offsets = {tp: position for tp, position in known.items() if position is not None}
        try:
            if offsets:
                await self._membership.commit(offsets)
        except (NotAMember, KafkaError) as error:
            log.info("lag not committed", reason=str(error))

    async def _revoked(self, held: set[TopicPartition]) -> None:
        for work in self._work.values():
            work.stopping.set()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for p in self._tasks:
            metrics.PARTITIONS_STOPPED.remove(str(p))
            self._health.watches.pop(_watched(p), None)
        self._told.clear()
        # what failed is raised where the others' failures are
        self._tasks = {p: t for p, t in self._tasks.items() if not t.cancelled() and t.exception()}
        self._work.clear()
        metrics.PARTITIONS_OWNED.set(0)

    async def _assigned(self, held: set[TopicPartition]) -> None:
        partitions = sorted(tp.partition for tp in held)
        log.info("partitions assigned", partitions=partitions)
        self._group.on_held(partitions)
        for p in partitions:
            self._tasks[p] = asyncio.create_task(self._drive(p), name=f"{self._group.topic}-{p}")
        metrics.PARTITIONS_OWNED.set(len(partitions))

    async def _drive(self, partition: int) -> None:
        """Take over and work, again and again, until revoked or no longer a member."""
        told = ""
        while True:
            work = self._work[partition] = self._group.begin(partition)
            self._health.watches[_watched(partition)] = work.watch
            pause = RETRY_SECONDS
            try:
                await self._membership.confirm(TopicPartition(self._group.topic, partition))
                await work.take_over()
                told = ""
                self._told.pop(partition, None)
                metrics.PARTITIONS_STOPPED.labels(str(partition)).set(0)
                await work.run()
                return
            except (NotAMember, ProducerFenced) as error:
                metrics.FENCED.inc()
                log.warning("partition lost", partition=partition, reason=_words(error))
                self._rejoin.set()
                return
            except asyncio.CancelledError:
                # a future of the client's may be cancelled; who takes that for an order stands still for ever
                if _ordered():
                    raise
                metrics.RETAKEN.inc()
                log.warning("taking the partition over anew", partition=partition, reason="cut off")
            except (KafkaError, IllegalOperation, Unavailable, PraetorError) as error:
                # IllegalOperation is no KafkaError: who sends on after aiokafka noticed a fence gets it
                person = error if isinstance(error, PraetorError) else refusal(error, self._options)
                if person is None:
                    metrics.RETAKEN.inc()
                    log.warning("taking the partition over anew", partition=partition, reason=_words(error))
                elif not self._group.patient:
                    raise person from error
                else:
                    pause = STOPPED_RETRY_SECONDS
                    if told != str(person):
                        told = self._told[partition] = str(person)
                        log.error("partition stopped", partition=partition, reason=told)
            finally:
                metrics.PARTITIONS_STOPPED.labels(str(partition)).set(bool(told))
                work.ready.clear()
                work.watch.does("letting go of the broker")
                await work.close()
                work.watch.does("waiting to take the partition over again", within=None)
            if await _set_within(work.stopping, pause):
                return


def _watched(partition: int) -> str:
    return f"partition {partition}"


def _ordered() -> bool:
    """Whether somebody cancelled the running task, rather than what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
