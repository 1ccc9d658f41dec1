"""Topics with threats and incidents on them, and an alert that tells receivers of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from consumers.alert.alert import Alert, Job, Target
from consumers.alert.load import Alerting, load_alerting
from runtime.kafka import Ends, read_partition
from schemas.catalogue import newest
from schemas.codec import Record, decode, encode_body
from schemas.topics import (
    ALERTS,
    DELIVERIES,
    INCIDENTS,
    NOTIFICATIONS,
    THREATS,
    UNDELIVERED,
    Topic,
    topic_name,
)
from sinks.http import Outbound
from sinks.outbound import Allowed
from sinks.receivers import receiver_sink
from store.store import Store
from tests.archive.helpers import Stage
from tests.delivery.tls import trusting

QUICK_ROUTE = {"wait": 0.3, "interval": 0.6, "repeat": 0, "quiet": 2}


def written(
    *routes: dict[str, Any], receivers: dict[str, dict[str, Any]], **more: Any
) -> list[dict[str, Any]]:
    """The documents of some routes and receivers."""
    head = {"apiVersion": "praetor/v1"}
    made: list[dict[str, Any]] = [
        {**head, "kind": "Alerting", "metadata": {"name": "test"}, "routes": list(routes), **more}
    ]
    made += [
        {**head, "kind": "Receiver", "metadata": {"name": name}, "to": to} for name, to in receivers.items()
    ]
    return made


def alerting(*routes: dict[str, Any], receivers: dict[str, dict[str, Any]], **more: Any) -> Alerting:
    documents = written(*routes, receivers=receivers, **more)
    return load_alerting([(f"{n}.yaml", json.dumps(d).encode()) for n, d in enumerate(documents)])


class Alarmed(Stage):
    """A stage without ClickHouse, with a store of its own."""

    def __init__(self, bootstrap: str, folder: Path, partitions: int = 3) -> None:
        super().__init__(bootstrap, "", partitions)
        self.url = f"sqlite:///{folder / 'store.db'}"

    async def prepare(self) -> "Alarmed":
        await self.create_topics([THREATS, INCIDENTS, DELIVERIES, UNDELIVERED])
        single = [
            NewTopic(topic_name(t, self.prefix), 1, 1, topic_configs=t.config)
            for t in (ALERTS, NOTIFICATIONS)
        ]
        async with self.admin() as admin:
            await admin.create_topics(single)
        return self

    def threat(self, number: int, detector: str = "burst", agent: str = "a1", **fields: Any) -> Record:
        known = {
            "log_id": self.log_id,
            "partition": number % self.partitions,
            "source_offset": number,
            "seq": number,
            "received_at": 1_780_000_000_000 + number,
            "tenant": "acme",
            "agent_id": agent,
            "session_id": f"s-{agent}",
            "detector": detector,
            "title": f"Found by {detector}",
            "severity": "high",
            "score": 0.9,
            "evidence": [f"00000000-0000-0000-0000-{number:012}"],
            "first_at": 1_780_000_000_000,
            "last_at": 1_780_000_000_000 + number,
            "tags": ["ASI10"],
            "dedup_key": f"{detector}/acme/{agent}/{number}",
            "bundle": "sha256:0",
            "message": "5 actions were denied",
        }
        return {**known, **fields}

    async def threaten(self, records: Sequence[Record]) -> None:
        of = newest("threat")
        values = [(r["partition"], of.prefix + encode_body(of, r)) for r in records]
        await self.send_raw(THREATS, values)

    async def happen(self, name: str = "inc-1", **fields: Any) -> None:
        """Append a record of an incident."""
        of = newest("incident")
        known = {
            "log_id": self.log_id,
            "incident_id": name,
            "group_key": "user/alice",
            "status": "open",
            "severity": "high",
            "title": "Alice's agents leak keys",
            "opened_at": 1_780_000_000_000,
            "updated_at": 1_780_000_000_900,
            "tenant": "acme",
            "agents": ["a1"],
            "threat_count": 2,
            "story": "2 agents of alice raised 2 threats within 0.9 s.",
        }
        await self.send_raw(INCIDENTS, [(0, of.prefix + encode_body(of, {**known, **fields}))])

    def alert(self, found: Alerting) -> Alert:
        outbound = Outbound(Allowed(), trusting())
        targets = {n: Target(r, receiver_sink(r, outbound)) for n, r in found.receivers.items()}
        job = Job(found.document, targets, self.prefix, self.log_id)
        return Alert(self.options, job, Store(self.url))

    @asynccontextmanager
    async def alerting(self, found: Alerting) -> AsyncIterator[Alert]:
        """An alert that runs during the block, once it groups; what it raises is raised at the end."""
        alert = self.alert(found)
        task = asyncio.create_task(alert.run())
        try:
            while not task.done() and not _groups(alert):
                await asyncio.sleep(0.05)
            yield alert
        finally:
            alert.stop.set()
            await task

    async def notifications(self) -> list[Record]:
        """All that was committed to agent.notifications."""
        return await self.read(NOTIFICATIONS, "notification")

    async def read(self, topic: Topic, schema: str) -> list[Record]:
        """All that was committed to the first partition of a topic."""
        ends, found = Ends(self.options), []
        await ends.start()
        try:
            tp = TopicPartition(topic_name(topic, self.prefix), 0)
            async for records in read_partition(self.options, tp, 0, await ends.stable_end(tp)):
                found += [decode(record.value, schema) for record in records]
        finally:
            await ends.stop()
        return found


def _groups(alert: Alert) -> bool:
    """Whether it has taken over, and each receiver is being read for."""
    _, told = alert._health.ready()
    checks = told["checks"]
    return all(check["ok"] for check in checks.values()) and len(checks) > 2
