"""Topics with decisions on them, and a forward that delivers them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from typer.testing import CliRunner

from cli.main import app
from consumers.forward import Forward, Target
from runtime.kafka import Ends, read_partition
from schemas.codec import Record, decode
from schemas.topics import DECISIONS, DELIVERIES, INCIDENTS, THREATS, UNDELIVERED, Topic, topic_name
from sinks.destination import Destination
from sinks.http import Outbound
from sinks.load import load_destinations
from sinks.outbound import Allowed
from sinks.registry import make_sink
from sinks.sink import Sink
from tests.archive.helpers import Stage, until
from tests.delivery.tls import trusting

__all__ = ["Delivering", "destination", "run", "until"]

RUNNER = CliRunner()


async def run(*words: str) -> Any:
    """A command, in this process."""
    return await asyncio.to_thread(RUNNER.invoke, app, list(words))


def destination(name: str, to: dict[str, Any], **more: Any) -> Destination:
    feed = {"kinds": ["decision"], "start": "earliest", **more.pop("feed", {})}
    document = {
        "apiVersion": "praetor/v1",
        "kind": "Destination",
        "metadata": {"name": name},
        "feed": feed,
        "format": "plain",
        "to": to,
        **more,
    }
    (found,) = load_destinations([("test.yaml", json.dumps(document).encode())])
    return found


class Delivering(Stage):
    """A stage without ClickHouse."""

    def __init__(self, bootstrap: str, partitions: int = 1) -> None:
        super().__init__(bootstrap, "", partitions)

    async def prepare(self) -> "Delivering":
        await self.create_topics([DECISIONS, THREATS, INCIDENTS, DELIVERIES, UNDELIVERED])
        return self

    async def decide(self, count: int, first: int = 0, **values: Any) -> None:
        """Append decisions, the same number to each partition."""
        each = [self.decisions(first, count, p, **values) for p in range(self.partitions)]
        await self.send(DECISIONS, [record for records in each for record in records])

    def sink(self, destination: Destination) -> Sink:
        return make_sink(destination, Outbound(Allowed(), trusting()))

    def forward(self, *destinations: Destination) -> Forward:
        targets = [Target(d, self.sink(d)) for d in destinations]
        return Forward(self.options, targets, prefix=self.prefix, log_id=self.log_id)

    @asynccontextmanager
    async def forwarding(self, *destinations: Destination) -> AsyncIterator[Forward]:
        """A forward that runs during the block; what it raises is raised at the end."""
        forward = self.forward(*destinations)
        task = asyncio.create_task(forward.run())
        try:
            yield forward
        finally:
            forward.stop.set()
            await task

    async def read(self, topic: Topic, schema: str) -> list[Record]:
        """All records of a topic, partition by partition."""
        ends, found = Ends(self.options), []
        await ends.start()
        try:
            for p in range(self.partitions):
                tp = TopicPartition(topic_name(topic, self.prefix), p)
                start, end = await ends.beginning(tp), await ends.stable_end(tp)
                async for records in read_partition(self.options, tp, start, end):
                    found += [decode(record.value, schema) for record in records]
        finally:
            await ends.stop()
        return found

    def command(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *destinations: Destination) -> None:
        """Have commands find the broker, the log and the destinations."""
        documents = [d.document.model_dump(exclude_none=True) for d in destinations]
        path = folder / "destinations.yaml"
        path.write_text("\n---\n".join(json.dumps(document) for document in documents))
        monkeypatch.setenv("PRAETOR_BOOTSTRAP", str(self.options["bootstrap_servers"]))
        monkeypatch.setenv("PRAETOR_TOPIC_PREFIX", self.prefix)
        monkeypatch.setenv("PRAETOR_DESTINATIONS", str(path))
        for module in ("cli.deliveries.skipping",):
            monkeypatch.setattr(f"{module}.read_log_id", self._log)

    async def _log(self, *_: Any) -> str:
        return self.log_id  # the shared broker's agent.control names another log

    def every(self, count: int, first: int = 0) -> set[str]:
        """The ids of so many decisions of each partition."""
        return {f"{self.log_id}/{p}/{n}" for p in range(self.partitions) for n in range(first, first + count)}


def in_order(ids: Sequence[str]) -> bool:
    """Whether the first arrival of each id is in order within its partition."""
    seen: Counter[str] = Counter()
    for event in dict.fromkeys(ids):
        place, _, number = event.rpartition("/")
        if int(number) < seen[place]:
            return False
        seen[place] = int(number)
    return True
