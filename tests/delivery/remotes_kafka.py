"""A topic on a real broker; what connects to it as forward goes by way of the line."""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import aiokafka.client
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from runtime.kafka import Ends, read_partition

T = TypeVar("T")


class KafkaTopic:
    """One partition, so that there is one order."""

    def __init__(self, bootstrap: str) -> None:
        self.port = int(bootstrap.rpartition(":")[2])
        self.secure = False
        self.topic = f"copy-{uuid4().hex[:8]}"
        self._options = {"bootstrap_servers": bootstrap}
        self._line = self.port

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        self._line = port
        return {"type": "kafka", "bootstrap": f"127.0.0.1:{port}", "topic": self.topic, "tls": self.secure}

    @contextmanager
    def running(self) -> Iterator[None]:
        in_thread(self._create())
        create = aiokafka.client.create_conn

        async def redirected(host: str, port: int, **options: Any) -> Any:
            """The broker names itself: only here it can be sent by way of the line."""
            ours = options.get("client_id") == "praetor-forward"
            return await create(host, self._line if ours else port, **options)

        aiokafka.client.create_conn = redirected
        try:
            yield
        finally:
            aiokafka.client.create_conn = create

    async def _create(self) -> None:
        admin = AIOKafkaAdminClient(**self._options)
        await admin.start()
        await admin.create_topics([NewTopic(self.topic, 1, 1)])
        await admin.close()

    def records(self) -> list[ConsumerRecord]:
        """What stands on the topic."""
        return in_thread(self._read())

    async def _read(self) -> list[ConsumerRecord]:
        ends, tp = Ends(self._options), TopicPartition(self.topic, 0)
        await ends.start()
        try:
            end = await ends.stable_end(tp)
        finally:
            await ends.stop()
        return [r async for records in read_partition(self._options, tp, 0, end) for r in records]

    def arrived(self) -> Sequence[str]:
        return [json.loads(record.value)["id"] for record in self.records()]


def in_thread(doing: Coroutine[Any, Any, T]) -> T:
    """Run it beside the loop that runs here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, doing).result()
