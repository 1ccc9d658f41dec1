from collections.abc import Iterator

import pytest

from runtime.embedded.services import Broker
from tests.sdk.helpers import Actions, Outage


@pytest.fixture
def actions(broker: str) -> Actions:
    """A topic for actions on the shared broker."""
    return Actions(broker).create()


@pytest.fixture(scope="package")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("frail") / "kafka") as running:
        yield running


@pytest.fixture
def outage(frail: Broker) -> Iterator[Outage]:
    """A topic on a broker that the test may kill and freeze; it runs again afterwards."""
    outage = Outage(frail)
    outage.create()
    yield outage
    outage.end()
