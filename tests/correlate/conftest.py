"""A broker with a log of three partitions, shared by the tests of this package."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from runtime.embedded.services import Broker
from tests.correlate.stage import Correlating
from tests.streams.helpers import Log


@pytest.fixture(scope="package")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("correlate")
    with Broker(folder / "kafka") as running:
        yield asyncio.run(Log(running.bootstrap, folder / "keys", 3).mint())


@pytest.fixture
async def stage(small_log: Log, tmp_path: Path) -> AsyncIterator[Correlating]:
    found = await Correlating(small_log, tmp_path).prepare()
    try:
        yield found
    finally:
        found.close()
