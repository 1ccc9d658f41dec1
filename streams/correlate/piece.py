"""The second agent's work on one partition: folds of its groups and orders in, incidents out.

A batch is one transaction: incidents, the groups' new state, and last the progress record. A new owner's
start fences the old one, and goes on from what is committed: nothing is counted or told twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime import metrics
from runtime.abandon import abandon
from runtime.errors import Malformed, Unavailable
from runtime.health import Watch
from runtime.kafka import Ends, Options, read_partition, start_consumer, started
from schemas.codec import decode, encode
from schemas.topics import CORRELATIONS, FOLDS_BY_GROUP, INCIDENT_ORDERS, INCIDENTS, Topic, topic_name
from streams.correlate.app import Record
from streams.correlate.budgets import order_of
from streams.correlate.memory import Memory, Outcome
from streams.correlate.rekey import SOURCE
from streams.correlate.responding import Responder
from streams.correlate.thresholds import Thresholds

log = structlog.get_logger()

BATCH = 500
IDLE_SECONDS = 0.2
TICK_SECONDS = 2.0
TRANSACTION_TIMEOUT_MS = 15_000
WRITE_SECONDS = 9


@dataclass(frozen=True)
class Shared:
    """What the pieces of a worker have in common.

    `seek` is told a partition and the offset to read it from again, `commit` where it stands.
    """

    options: Options
    ends: Ends
    prefix: str
    log_id: str
    by: Thresholds
    responder: Responder | None
    seek: Callable[[int, int], Awaitable[None]]
    commit: Callable[[int, int], Awaitable[None]]


class Piece:
    """Owns one partition of agent.folds-by-group while `run` runs. `ready` once it is taken over."""

    def __init__(self, partition: int, shared: Shared) -> None:
        self.partition = partition
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self.watch = Watch()
        policy = shared.responder.policy if shared.responder is not None else None
        self.memory = Memory(shared.log_id, partition, shared.by, policy)
        self._shared = shared
        self._queue: asyncio.Queue[Record] = asyncio.Queue(BATCH)
        self._producer: AIOKafkaProducer | None = None
        self._orders: AIOKafkaConsumer | None = None
        self._ticked = 0.0
        self._planned: list[str] = []  # incidents whose plan is committed
        self._spent: list[bytes] = []  # budgets, likewise

    def _tp(self, topic: Topic) -> TopicPartition:
        return TopicPartition(topic_name(topic, self._shared.prefix), self.partition)

    async def put(self, record: Record) -> None:
        """Take a record; waits while there are too many, unless it stops."""
        while not self.stopping.is_set():
            try:
                async with asyncio.timeout(1):
                    return await self._queue.put(record)
            except TimeoutError:
                continue

    async def run(self) -> None:
        """Take over and work until `stopping` is set.

        Raises:
            KafkaError, Unavailable: fenced, or nobody knows what became of a transaction: begin anew.
            PraetorError: a person is needed.
        """
        try:
            await self._take_over()
            self.ready.set()
            while not self.stopping.is_set():
                await self._turn()
        finally:
            self.ready.clear()
            producer, orders = self._producer, self._orders
            if producer is not None:
                await abandon(producer)
            if orders is not None:
                await orders.stop()

    async def _take_over(self) -> None:
        shared = self._shared
        self.watch.does("fencing the old owner", within=None)
        producer = AIOKafkaProducer(
            **shared.options,
            transactional_id=f"{shared.prefix}praetor-correlate-{shared.log_id}-{self.partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_request_size=8 << 20,
            request_timeout_ms=10_000,
        )
        self._producer = await started(producer, shared.options)
        self.watch.does("reading agent.correlations", within=None)
        state = self._tp(CORRELATIONS)
        end = await shared.ends.stable_end(state)
        await shared.ends.stable_end(self._tp(INCIDENTS))
        async for records in read_partition(shared.options, state, await shared.ends.beginning(state), end):
            self.memory.read((record.key, record.value) for record in records)
        self._note_plans()
        orders = self._tp(INCIDENT_ORDERS)
        self._orders = await start_consumer(shared.options, "read_committed", fetch_max_wait_ms=500)
        self._orders.assign([orders])
        first = await shared.ends.beginning(orders)
        self._orders.seek(orders, max(first, self.memory.next_order))
        log.info(
            "partition taken over",
            partition=self.partition,
            next_fold=self.memory.next_fold,
            groups=len(self.memory.groups),
        )

    async def _turn(self) -> None:
        answered = await self._answer()  # first: what it carries out is committed
        self.watch.does("waiting for folds", within=None)
        records = await self._batch()
        self.watch.does("correlating")
        taken = [await self._fold(record) for record in records]
        ordered = await self._take_orders()
        if any(taken) or ordered or answered:
            self.watch.does("writing a transaction")
            outcome = self.memory.settle()
            await self._write(outcome)
            self._note_plans()
            metrics.CORRELATED.inc(sum(taken))
            for told in outcome.told:
                metrics.INCIDENT_CHANGES.labels(told["change"]).inc()
            await self._shared.commit(self.partition, self.memory.next_fold)
        elif not records:
            await self._tick()

    async def _answer(self) -> bool:
        """Give the orders of responses whose plan is committed."""
        responder = self._shared.responder
        spent = [] if responder is None else self._spent
        for key in spent:
            if responder is not None:
                self.watch.does("telling what agents spent together", within=None)
                await responder.tell(order_of(self.memory.budgets[key], self.memory.log_id, responder.author))
                self.memory.budget_told(key)
        self._spent = []
        found = [] if responder is None else [one for one in self._planned if self.memory.incident(one)]
        for name in found:
            incident = self.memory.incident(name)
            if responder is not None and incident is not None:
                self.watch.does("giving the orders of responses", within=None)
                self.memory.answer(name, await responder.answer(incident))
        self._planned = []
        return bool(found or spent)

    def _note_plans(self) -> None:
        """What is committed may be carried out."""
        self._planned = [one["incident_id"] for one in self.memory.pending()]
        self._spent = self.memory.planned_budgets()

    async def _batch(self) -> list[Record]:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                found = [await self._queue.get()]
        except TimeoutError:
            return []
        while len(found) < BATCH and not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    async def _fold(self, record: Record) -> bool:
        """Count a record, if it is the next one and its source is new."""
        expected = self.memory.next_fold
        if record.offset < expected:
            return False
        if record.offset > expected:
            first = await self._shared.ends.beginning(self._tp(FOLDS_BY_GROUP))
            if first <= expected:  # Faust left some out: read them
                metrics.CORRELATE_GAPS.inc()
                await self._shared.seek(self.partition, expected)
                return False
            log.error(
                "folds were deleted before they were counted",
                partition=self.partition,
                next=expected,
                first=first,
            )
        try:
            fold = decode(record.value, "fold")
            source = dict(record.headers)[SOURCE].decode().split("/")
            key = record.key or b""
            return self.memory.fold(record.offset, key, (int(source[0]), int(source[1])), fold)
        except (Malformed, KeyError, ValueError) as error:
            metrics.CORRELATE_MALFORMED.inc()
            self.memory.next_fold = record.offset + 1
            place = f"agent.folds-by-group/{self.partition}/{record.offset}"
            log.error("a record is passed over", place=place, reason=str(error))
            return True

    async def _take_orders(self) -> bool:
        if self._orders is None:
            return False
        found = await self._orders.getmany(timeout_ms=0)
        records = [record for records in found.values() for record in records]
        for record in records:
            try:
                order = decode(record.value, "incident_order")
            except Malformed as error:
                log.warning("an order is passed over", offset=record.offset, reason=str(error))
                order = {"incident_id": "", "kind": "unknown"}
            self.memory.order(record.offset, record.timestamp, order)
        return bool(records)

    async def _tick(self) -> None:
        """Ask for the time where something is due: a tick is an order, at the broker's time."""
        if time.monotonic() - self._ticked < TICK_SECONDS:
            return
        self._ticked = time.monotonic()
        if self._producer is None or not self.memory.is_due(int(time.time() * 1000)):
            return
        order = {"log_id": self._shared.log_id, "order_id": "", "kind": "tick"}
        topic, partition = self._tp(INCIDENT_ORDERS)
        await self._producer.begin_transaction()
        await self._producer.send_and_wait(topic, encode("incident_order", order), partition=partition)
        await self._producer.commit_transaction()

    async def _write(self, outcome: Outcome) -> None:
        if self._producer is None:
            raise RuntimeError("a piece writes after it was taken over")
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._producer.begin_transaction()
                sent = [await self._send(INCIDENTS, key, value) for key, value in outcome.incidents]
                sent += [await self._send(CORRELATIONS, key, value) for key, value in outcome.cells]
                await asyncio.gather(*sent)
                await self._producer.commit_transaction()
        except TimeoutError as error:
            raise Unavailable(f"a transaction was not committed within {WRITE_SECONDS} s") from error

    async def _send(self, topic: Topic, key: bytes | None, value: bytes | None) -> asyncio.Future[object]:
        name, partition = self._tp(topic)
        if self._producer is None:
            raise RuntimeError("a piece sends after it was taken over")
        sent: asyncio.Future[object] = await self._producer.send(name, value, key=key, partition=partition)
        return sent
