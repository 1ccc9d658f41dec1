"""A real broker with a filled log, and the measured systems: each a process of its own."""

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient

from bench.load import fill, make_bundle, make_rules
from policies.bundle import pack_bundle
from runtime.embedded.services import Broker
from runtime.errors import PraetorError
from runtime.kafka import Options
from schemas.topics import TOPICS, topic_name
from streams.keyring import CONTROL, read_signing_key
from streams.orders import Order
from streams.topics import Wanted, create_topics, mint_log, publish_order, write_genesis

PARTITIONS = 12
CHILD_SECONDS = 600
HEAP_MB = 1024


@dataclass(frozen=True)
class Log:
    """A minted log on a running broker, with so many actions in it."""

    bootstrap: str
    keys: str
    log_id: str
    actions: int

    @property
    def options(self) -> Options:
        """For Kafka clients."""
        return {"bootstrap_servers": self.bootstrap}


NO_LOG = Log("", "", "", 0)


@dataclass(frozen=True)
class Job:
    """What a child process is to do.

    Attributes:
        kind: a name in `bench.child.KINDS`.
        log: on which log; NO_LOG for a job without a broker.
        prefix: of its output topics.
        settings: what that kind of job takes besides.
        profile: file for the profile of what is measured, or "".
    """

    kind: str
    log: Log = NO_LOG
    prefix: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    profile: str = ""


@contextmanager
def running_log(actions: int, agents: int, rules: int = 10, spoilt: float = 0.0) -> Iterator[Log]:
    """A broker with a log of `actions` actions by `agents` agents and a bundle of `rules` rules in force.

    A share `spoilt` of the actions does not decode.
    """
    with tempfile.TemporaryDirectory(prefix="praetor-bench-") as folder:
        with Broker(Path(folder) / "kafka", heap_mb=HEAP_MB) as broker:
            log = asyncio.run(_mint(broker.bootstrap, Path(folder) / "keys", rules))
            if actions:
                asyncio.run(fill(broker.bootstrap, actions, agents, spoilt))
            yield replace(log, actions=actions)


async def _mint(bootstrap: str, keys: Path, rules: int) -> Log:
    options = {"bootstrap_servers": bootstrap}
    await create_topics(options, Wanted(PARTITIONS))
    view = await mint_log(options, keys, PARTITIONS, int(time.time() * 1000))
    bundle = pack_bundle(make_bundle(make_rules(rules)))
    order = Order(view.log_id, "bundle", "bench", int(time.time() * 1000), bundle)
    await publish_order(options, order, read_signing_key(keys, CONTROL))
    await write_genesis(options, view, "")
    return Log(bootstrap, str(keys), view.log_id, 0)


@contextmanager
def outputs(log: Log, prefix: str) -> Iterator[str]:
    """Output topics of their own, with genesis records; deleted afterwards."""
    asyncio.run(_create(log, prefix))
    try:
        yield prefix
    finally:
        asyncio.run(_delete(log, prefix))


async def _create(log: Log, prefix: str) -> None:
    await create_topics(log.options, Wanted(PARTITIONS, prefix=prefix))
    view = await mint_log(log.options, Path(log.keys), PARTITIONS, 0)
    await write_genesis(log.options, view, prefix)


async def _delete(log: Log, prefix: str) -> None:
    admin = AIOKafkaAdminClient(**log.options)
    await admin.start()
    try:
        await admin.delete_topics([topic_name(t, prefix) for t in TOPICS if t.output])
    finally:
        await admin.close()


def run_job(job: Job) -> dict[str, Any]:
    """Run a job in a fresh process; return what it measured.

    Raises:
        PraetorError: it failed; with the end of what it said.
    """
    command = [sys.executable, "-m", "bench.child", json.dumps(asdict(job))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CHILD_SECONDS)
    if done.returncode:
        raise PraetorError(f"{job.kind} failed: {done.stderr.strip()[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def quiet() -> None:
    """Log warnings only, on standard error: logging is no part of what is measured."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def read_job(text: str) -> Job:
    """The job that a child process was given."""
    value = json.loads(text)
    log = value.pop("log")
    return Job(log=Log(**log), **value)
