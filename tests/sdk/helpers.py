"""A topic that a client of the SDK writes to, and what came of it."""

import asyncio
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from praetor import AsyncPraetor, Praetor

from runtime.embedded.services import Broker
from schemas.codec import Record, decode
from schemas.keys import agent_key, partition_of
from schemas.topics import ACTIONS
from tests.streams.reading import read_topics

PARTITIONS = 3
PATIENCE = 90.0
CLOSING = "close:producer"


class Actions:
    """A topic of a name of its own with the settings of `agent.actions`."""

    def __init__(self, bootstrap: str, **config: str) -> None:
        self.bootstrap = bootstrap
        self._config = {**ACTIONS.config, **config}
        self.name = f"actions-{uuid4().hex[:12]}"
        self.options = {"bootstrap_servers": bootstrap}

    def create(self) -> "Actions":
        asyncio.run(self._create())
        return self

    async def _create(self) -> None:
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        try:
            reply = await admin.create_topics(
                [NewTopic(self.name, PARTITIONS, 1, topic_configs=self._config)]
            )
        finally:
            await admin.close()
        assert not [error for error in reply.topic_errors if error[1]], reply

    def client(self, agent_id: str = "a", **settings: Any) -> Praetor:
        return Praetor(self.bootstrap, tenant="acme", agent_id=agent_id, topic=self.name, **settings)

    def async_client(self, agent_id: str = "a", **settings: Any) -> AsyncPraetor:
        return AsyncPraetor(self.bootstrap, tenant="acme", agent_id=agent_id, topic=self.name, **settings)

    def read(self) -> dict[tuple[str, str], list[Record]]:
        """The events by producer and agent, in the order of the log; keys and partitions are checked."""
        found: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for partition, records in asyncio.run(read_topics(self.options, [self.name], PARTITIONS))[
            self.name
        ].items():
            for record in records:
                event = decode(record.value, "action_event")
                key = agent_key(event["tenant"], event["agent_id"])
                assert (record.key, partition) == (key, partition_of(key, PARTITIONS))
                found[event["producer_id"], event["agent_id"]].append(event)
        return found

    def script(self, body: str, **environment: str) -> subprocess.Popen[str]:
        """A Python process that runs `body` with an open client's arguments at hand as `where`."""
        head = f"import os, sys, time\nfrom praetor import *\nwhere = {self.where!r}\n"
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", head + body],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    @property
    def where(self) -> dict[str, Any]:
        """A client's arguments."""
        return {"bootstrap": self.bootstrap, "tenant": "acme", "agent_id": "a", "topic": self.name}


class Outage(Actions):
    """A topic whose broker comes and goes."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker.bootstrap)
        self.broker = broker
        self._frozen = False

    def freeze(self) -> None:
        """From now on there is silence."""
        self.broker.freeze()
        self._frozen = True

    def kill(self) -> None:
        """From now on connections are refused."""
        self.broker.kill()

    def end(self) -> None:
        """The broker answers again."""
        if self._frozen:
            self.broker.thaw()
            self._frozen = False
        if not self.broker.pid:
            self.broker.start()


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a script printed and complained of."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err
    return out, err


def numbers(events: list[Record]) -> list[int]:
    return [event["producer_seq"] for event in events]


def whole(events: list[Record], count: int) -> None:
    """An epoch of so many events, once each and in order, and its closing event behind them."""
    assert numbers(events) == list(range(count + 1))
    assert [event["action"] == CLOSING for event in events] == [False] * count + [True]
    assert len({event["producer_epoch"] for event in events}) == 1
    assert (events[-1]["phase"], events[-1]["resource"]) == ("outcome", events[-1]["producer_id"])


def eventually(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def read_text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
