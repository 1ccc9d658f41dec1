"""A log whose bundles are signed by the keys in its folder."""

from pathlib import Path

import pytest

from runtime.embedded.services import Broker
from tests.bundles.commands import Person
from tests.streams.helpers import Log


@pytest.fixture
async def person(own_broker: Broker, tmp_path: Path) -> Person:
    """Whoever runs a new log of three partitions."""
    log = await Log(own_broker.bootstrap, tmp_path / "keys", 3).mint()
    return Person(log, log.keys)
