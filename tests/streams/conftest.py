"""Brokers with a log on them: agent.actions and agent.control have no prefix, so a log needs its own."""

import asyncio
from collections.abc import Iterator

import pytest

from runtime.embedded.services import Broker
from tests.streams.helpers import Log


@pytest.fixture(scope="package")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A log of three partitions that the tests of this package share: see `log`."""
    folder = tmp_path_factory.mktemp("small")
    with Broker(folder / "kafka") as running:
        yield asyncio.run(Log(running.bootstrap, folder / "keys", 3).mint())


@pytest.fixture
async def log(small_log: Log) -> Log:
    """The shared log with no actions in it. A test makes outputs of its own (`log.outputs()`)."""
    await small_log.clear()
    return small_log
