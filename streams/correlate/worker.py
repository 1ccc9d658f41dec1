"""A worker of correlate: a Faust application, and the pieces of the partitions that it is given."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ledger.keys import SigningKey, VerifyKey
from runtime import metrics
from runtime.errors import PraetorError, Unavailable
from runtime.health import Check, Health
from runtime.insist import insist
from runtime.kafka import Ends, Options, check_access, partition_counts, started
from runtime.kafka_errors import refusal
from schemas.access import topic_needs
from schemas.topics import FOLDS, FOLDS_BY_GROUP, topic_name
from streams.control import read_view
from streams.correlate.app import App, Record
from streams.correlate.piece import Piece, Shared
from streams.correlate.rekey import Rekeying
from streams.correlate.responding import Responder
from streams.correlate.responses import ResponsePolicy
from streams.correlate.thresholds import Thresholds

log = structlog.get_logger()

STOP_SECONDS = 8.0
AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Answering:
    """How incidents are answered, None: not; and who signs orders, those of budgets among them."""

    policy: ResponsePolicy | None
    key: SigningKey


class Correlate:
    """Correlates until `stop` is set. Several workers of one prefix share the partitions."""

    def __init__(
        self,
        options: Options,
        prefix: str,
        keys: Sequence[VerifyKey],
        health: Health | None = None,
        answering: Answering | None = None,
    ) -> None:
        """Take how to reach the broker, whose orders are believed, and how incidents are answered, if so."""
        self.stop = asyncio.Event()
        self.pieces: dict[int, Piece] = {}
        self._options = options
        self._prefix = prefix
        self._keys = keys
        self._answering = answering
        self._health = health or Health()
        self._ends = Ends(options)
        self._why = "starting"
        self._health.check("partitions", self._check)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._topics = (topic_name(FOLDS, prefix), topic_name(FOLDS_BY_GROUP, prefix))

    async def run(self) -> None:
        """Wait for the broker, join, correlate, leave; begins anew after what may pass.

        Raises:
            PraetorError: a grant is missing, or there is no log.
        """
        try:
            found = await insist(self._open, "start correlating", self.stop)
            while found is not None and not self.stop.is_set():
                try:
                    await self._session(*found)
                except (KafkaError, Unavailable) as error:
                    if person := refusal(error, self._options):
                        raise person from error
                    self._why = str(error) or type(error).__name__
                    log.warning("correlating begins anew", reason=self._why)
                    metrics.CORRELATE_RESTARTS.inc()
                    await _set_within(self.stop, AGAIN_SECONDS)
        finally:
            await self._ends.stop()

    async def _open(self) -> tuple[str, int]:
        await self._ends.stop()  # what an attempt before has left
        await check_access(self._options, topic_needs("correlate", self._prefix))
        await self._ends.start()
        view = await read_view(self._options, self._keys)
        counts = await partition_counts(self._options, self._topics)
        if set(counts.values()) != {view.partitions}:
            raise PraetorError(
                f"log {view.log_id} has {view.partitions} partitions, but {counts}: make the topics with"
                " `praetor topics create`"
            )
        await self._may_join(view.log_id)
        return view.log_id, view.partitions

    async def _may_join(self, log_id: str) -> None:
        """Ask the group something: Faust does not say what keeps it from joining.

        Raises:
            PraetorError: we may not.
        """
        group = f"{self._prefix}praetor-correlate-{log_id}"
        consumer = AIOKafkaConsumer(**self._options, group_id=group, enable_auto_commit=False)
        await started(consumer, self._options)
        try:
            tp = TopicPartition(self._topics[0], 0)
            consumer.assign([tp])
            await consumer.committed(tp)
        except KafkaError as error:
            if person := refusal(error, self._options):
                raise person from error
            raise
        finally:
            await consumer.stop()

    async def _session(self, log_id: str, partitions: int) -> None:
        """One life of the Faust application."""
        folds, by_group = self._topics
        group = f"{self._prefix}praetor-correlate-{log_id}"
        rekeying = Rekeying(
            self._options, self._prefix, partitions, lambda p, o: app.commit_place(folds, p, o)
        )
        responder = None
        if self._answering is not None:
            policy, key = self._answering.policy, self._answering.key
            responder = Responder(self._options, self._ends, list(self._keys), policy, key)
        shared = Shared(
            self._options,
            self._ends,
            self._prefix,
            log_id,
            Thresholds(),
            responder,
            lambda p, o: app.seek(by_group, p, o),
            lambda p, o: app.commit_place(by_group, p, o),
        )

        async def correlate(record: Record) -> None:
            await self._piece(record.partition, shared).put(record)

        async def revoked(_app: Any, _revoked: Any, **_more: Any) -> None:
            await self._let_go()

        async def assigned(_app: Any, assigned: Any, **_more: Any) -> None:
            for topic, partition in sorted(assigned):
                if topic == by_group:
                    self._piece(partition, shared)
            self._why = ""

        app = App(self._options, group, {folds: rekeying.take, by_group: correlate})
        signals: Any = ((app.on_partitions_revoked, revoked), (app.on_partitions_assigned, assigned))
        for signal, handler in signals:
            signal.connect(handler)
        await rekeying.start()
        copying = asyncio.create_task(rekeying.run())
        # it starts once the group has given it partitions: which may be never
        starting = asyncio.create_task(app.start())
        try:
            await self._watch(app, copying, starting)
        finally:
            copying.cancel()
            starting.cancel()
            await self._let_go()
            await asyncio.gather(copying, starting, return_exceptions=True)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await app.stop()
            except TimeoutError:
                log.warning("the Faust application does not stop")
            await rekeying.stop()
            if responder is not None:
                await responder.stop()

    async def _watch(self, app: App, *parts: asyncio.Task[Any]) -> None:
        """Return once asked to stop; raise what ended a part."""
        while not self.stop.is_set():
            await _set_within(self.stop, 0.2)
            for task in (*parts, *self._tasks.values()):
                if task.done() and not task.cancelled():
                    task.result()
            if app.crashed:
                if isinstance(app.crash_reason, KafkaError):
                    raise app.crash_reason
                raise Unavailable(f"the Faust application crashed: {app.crash_reason!r}")

    def _piece(self, partition: int, shared: Shared) -> Piece:
        piece = self.pieces.get(partition)
        if piece is None:
            piece = self.pieces[partition] = Piece(partition, shared)
            self._health.watches[f"partition {partition}"] = piece.watch
            self._tasks[partition] = asyncio.create_task(piece.run(), name=f"piece {partition}")
            metrics.PARTITIONS_OWNED.set(len(self.pieces))
        return piece

    async def _let_go(self) -> None:
        pieces, tasks = self.pieces, list(self._tasks.values())
        self.pieces, self._tasks = {}, {}
        for partition, piece in pieces.items():
            piece.stopping.set()
            self._health.watches.pop(f"partition {partition}", None)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _check(self) -> Check:
        """Asked by another thread: the group is joined, and every piece is taken over."""
        pieces = dict(self.pieces)
        waiting = {str(p): piece.watch.doing for p, piece in pieces.items() if not piece.ready.is_set()}
        facts = {"owned": len(pieces), "taking_over": waiting, "why": self._why}
        return Check(not self._why and not waiting, facts)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
