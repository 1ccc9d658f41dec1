"""Clients whose broker is silent or gone are let go of; who needs them waits for it to come back."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import IllegalOperation, NodeNotReadyError

from runtime.abandon import abandon
from runtime.embedded.services import Broker
from runtime.errors import PraetorError, Unavailable
from runtime.health import Watch
from runtime.insist import insist
from runtime.kafka import Options, start_consumer
from runtime.kafka_clients import started
from runtime.ownership import Ownership
from runtime.work import Group


async def made(options: Options) -> str:
    """A topic of one partition with a record in it."""
    name = f"t-{uuid4().hex}"
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(**options)
    await producer.start()
    await producer.send_and_wait(name, b"value", partition=0)
    await producer.stop()
    return name


async def test_a_consumer_whose_fetch_has_just_failed_stops(
    own_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """aiokafka's own stop raises CancelledError then."""
    options: Options = {"bootstrap_servers": own_broker.bootstrap}
    tp = TopicPartition(await made(options), 0)
    # it comes back to the failed fetch after a minute, not after 0.1 s: the stop falls into that time
    consumer = await start_consumer(options, "read_committed", retry_backoff_ms=60_000)
    consumer.assign([tp])
    consumer.seek(tp, 1)  # the end: the fetch waits at the broker
    while not consumer._fetcher._pending_tasks:
        await asyncio.sleep(0.01)
    own_broker.kill()
    while "Failed fetch messages" not in caplog.text:
        await asyncio.sleep(0.01)
    assert consumer._fetcher._pending_tasks
    await asyncio.wait_for(consumer.stop(), 5)
    assert all(task.cancelled() for task in consumer._fetcher._pending_tasks)


class Idle:
    """Work that takes over, and then does what it is told to."""

    def __init__(self, doing: Callable[["Idle"], Awaitable[None]]) -> None:
        self.stopping = asyncio.Event()
        self.ready = asyncio.Event()
        self.watch = Watch()
        self.position: int | None = None
        self.reached: int | None = None
        self._doing = doing

    async def take_over(self) -> None: ...

    async def run(self) -> None:
        self.ready.set()
        await self._doing(self)

    async def close(self) -> None: ...


async def owned(
    options: Options, topic: str, doing: Callable[[Idle], Awaitable[None]]
) -> tuple[asyncio.Event, asyncio.Task[None]]:
    group = Group(f"g-{topic}", topic, lambda _: Idle(doing), lambda _: None, patient=True)
    stop = asyncio.Event()
    return stop, asyncio.create_task(Ownership(options, group).run(stop))


async def test_work_that_a_client_cancels_is_begun_anew(broker: str) -> None:
    options: Options = {"bootstrap_servers": broker}
    begun: list[Idle] = []
    twice = asyncio.Event()

    async def doing(work: Idle) -> None:
        begun.append(work)
        if len(begun) == 1:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future
        twice.set()
        await work.stopping.wait()

    stop, task = await owned(options, await made(options), doing)
    await asyncio.wait_for(twice.wait(), 30)
    stop.set()
    await task
    assert len(begun) == 2


async def test_work_that_sends_on_after_a_fence_was_noticed_is_begun_anew(broker: str) -> None:
    """aiokafka then raises what is no KafkaError."""
    options: Options = {"bootstrap_servers": broker}
    topic, name = await made(options), f"id-{uuid4().hex}"
    raised: list[BaseException] = []
    again = asyncio.Event()

    async def fenced(work: Idle) -> None:
        if raised:
            again.set()
            await work.stopping.wait()
            return
        async with AIOKafkaProducer(**options, transactional_id=name) as producer:
            await producer.begin_transaction()
            async with AIOKafkaProducer(**options, transactional_id=name):
                try:
                    while True:
                        sent = await producer.send(topic, b"late", partition=0)
                        sent.add_done_callback(lambda ack: ack.cancelled() or ack.exception())
                        await asyncio.sleep(0.01)
                except IllegalOperation as error:
                    raised.append(error)
                    await abandon(producer)
                    raise

    stop, task = await owned(options, topic, fenced)
    done, _ = await asyncio.wait(
        {task, asyncio.create_task(again.wait())}, timeout=60, return_when=asyncio.FIRST_COMPLETED
    )
    assert task not in done and again.is_set()
    stop.set()
    await task


async def test_a_member_rejoins_once_the_broker_is_back(own_broker: Broker) -> None:
    options: Options = {"bootstrap_servers": own_broker.bootstrap}
    working: asyncio.Queue[Idle] = asyncio.Queue()
    lost = asyncio.Event()

    async def doing(work: Idle) -> None:
        await working.put(work)
        if not lost.is_set():
            await lost.wait()
            raise NodeNotReadyError("as if the broker had told it")
        await work.stopping.wait()

    stop, task = await owned(options, await made(options), doing)
    await asyncio.wait_for(working.get(), 30)
    with structlog.testing.capture_logs() as said:
        own_broker.kill()
        lost.set()
        await asyncio.sleep(3)
        assert not task.done()
        own_broker.start()
        await asyncio.wait_for(working.get(), 60)
        stop.set()
        await task
    assert {line["event"] for line in said} & {"taking the partition over anew", "rejoining the group"}


async def test_what_is_away_is_waited_for_and_said_once() -> None:
    answers = iter([Unavailable("no broker"), Unavailable("no broker"), NodeNotReadyError("loading"), None])

    async def call() -> str:
        answer = next(answers)
        if answer is not None:
            raise answer
        return "there"

    with structlog.testing.capture_logs() as said:
        assert await insist(call, "start") == "there"
    assert [(line["event"], line["to"]) for line in said] == [("waiting", "start")] * 2
    assert "no broker" in said[0]["reason"] and "loading" in said[1]["reason"]


async def test_waiting_ends_when_asked_to_stop_and_what_waiting_does_not_mend_is_raised() -> None:
    stop = asyncio.Event()

    async def away() -> None:
        raise Unavailable("no broker")

    async def silent() -> None:
        await asyncio.Event().wait()

    async def wrong() -> None:
        raise PraetorError("the password is wrong")

    for call in (away, silent):
        stop.clear()
        waiting = asyncio.create_task(insist(call, "start", stop))
        await asyncio.sleep(0.1)
        stop.set()
        assert await asyncio.wait_for(waiting, 5) is None
    with pytest.raises(PraetorError, match="password"):
        await insist(wrong, "start")


async def test_a_start_that_is_cancelled_leaves_no_connection(broker: str) -> None:
    """Wherever it is cancelled; what is left open is a warning of aiokafka's, and warnings are errors."""
    options: Options = {"bootstrap_servers": broker}
    for turns in range(60):
        starting = asyncio.create_task(start_consumer(options, "read_committed"))
        for _ in range(turns):
            await asyncio.sleep(0.0003)
        starting.cancel()
        for consumer in await asyncio.gather(starting, return_exceptions=True):
            if not isinstance(consumer, BaseException):
                await consumer.stop()
    gc.collect()


async def test_a_broker_that_names_no_broker_is_one_that_is_coming_back(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one answers for a moment after it stood still: an assertion of aiokafka's ended the worker."""

    update = ClusterMetadata.update_metadata
    answers: list[None] = []

    def forgetful(cluster: ClusterMetadata, metadata: object) -> None:
        if answers:
            answers.pop()  # aiokafka ignores an answer without brokers
        else:
            update(cluster, metadata)

    monkeypatch.setattr(ClusterMetadata, "update_metadata", forgetful)
    options: Options = {"bootstrap_servers": broker}
    for producer in ({"transactional_id": uuid4().hex}, {"enable_idempotence": True}):
        answers.append(None)
        with pytest.raises(Unavailable, match="try once more"):
            await started(AIOKafkaProducer(**options, **producer), options)
        assert not answers
        await (await started(AIOKafkaProducer(**options, **producer), options)).stop()
