"""The Faust application: membership of the group, partitions that come and go, records in their order.

What Faust 0.15.3 does by itself that would lose or repeat something is not used: its producer, its tables,
its acknowledgements and commits, its web server, its decoding (docs/adr/0013). Its agents take bytes and do
not acknowledge; a position is committed explicitly, after what followed from the records is on the broker.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from runtime.kafka import FETCH_BYTES, Options

SESSION_SECONDS = 10.0


class Record(Protocol):
    """A consumed record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any


Handler = Callable[[Record], Awaitable[None]]
"""Takes a record of the agent's topic; returns once it is in hand."""


class Boot(BootStrategy):
    """Starts no producer and no web server of Faust's."""

    enable_kafka_producer = False
    enable_web = False


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's, with a consumer by our options: Faust would read what is not committed, or was aborted."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        self._assignor = RoundRobinPartitionAssignor
        app: Any = self.app
        return AIOKafkaConsumer(
            **app.options,
            group_id=app.conf.id,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            max_partition_fetch_bytes=FETCH_BYTES,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            rebalance_timeout_ms=30_000,
            fetch_max_wait_ms=500,
        )


class Consumer(driver.Consumer):
    """Faust's, which never commits by itself: it would also commit what it skipped."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Nothing: see `App.commit_place`."""
        return False


class Transport(driver.Transport):
    """Faust's for aiokafka, with the consumer above."""

    Consumer = Consumer


class App(faust.App):
    """A Faust app of one group over some topics, each with one handler for its records.

    Handlers are called record by record, one at a time a topic, in order within a partition, from the
    committed position on. A record may come again, after a rebalance or restart.
    """

    BootStrategy = Boot

    def __init__(self, options: Options, group: str, handlers: Mapping[str, Handler]) -> None:
        """Take how to reach the broker, the group, and what to do with each topic's records."""
        self.options = options
        super().__init__(
            group,
            broker="kafka://" + str(options["bootstrap_servers"]).replace(",", ";kafka://"),
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_wait_empty=False,
            stream_buffer_maxsize=1024,
            broker_session_timeout=SESSION_SECONDS,
            processing_guarantee="at_least_once",
            autodiscover=False,
            datadir=Path("/nonexistent"),
        )
        for topic, handler in handlers.items():
            self._add(topic, handler)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        pass  # nothing of ours is in a file

    def _add(self, topic: str, handler: Handler) -> None:
        channel = self.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw", internal=False)

        async def handle(stream: Any) -> None:
            async for event in stream.noack().events():
                await handler(event.message)

        self.agent(channel, name=f"agent of {topic}", concurrency=1)(handle)

    async def commit_place(self, topic: str, partition: int, offset: int) -> None:
        """Commit where a partition stands; one that is no longer ours is passed over."""
        tp = TP(topic, partition)
        if tp in self.consumer.assignment():
            consumer: Any = self.consumer
            await consumer._commit({tp: offset})

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        """Read a partition again from an offset."""
        await self.consumer.seek(TP(topic, partition), offset)
