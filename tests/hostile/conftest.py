"""A broker with a log on it that the tests of this package share."""

import asyncio
from collections.abc import Iterator

import pytest

from runtime.embedded.services import Broker
from tests.streams.helpers import Log


@pytest.fixture(scope="package")
def hostile_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A log of three partitions. A test makes outputs of its own (`log.outputs()`)."""
    folder = tmp_path_factory.mktemp("hostile")
    with Broker(folder / "kafka") as running:
        yield asyncio.run(Log(running.bootstrap, folder / "keys", 3).mint())


@pytest.fixture
def log(hostile_log: Log) -> Log:
    """The shared log with no actions in it."""
    asyncio.run(hostile_log.clear())
    return hostile_log
