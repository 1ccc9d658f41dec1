"""The real services that tests run on, one of each for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from runtime.embedded.services import Broker, ClickHouse

# a busy machine is slow, not wrong
settings.register_profile("praetor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("praetor")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Kafka broker. It is shared: a test names its topics and groups uniquely."""
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running.bootstrap


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real ClickHouse without a password. It is shared: a test makes a database of its own."""
    with ClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running.url


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker that the test may stop, kill, freeze and start again."""
    with Broker(tmp_path / "kafka") as running:
        yield running


@pytest.fixture
def own_clickhouse(tmp_path: Path) -> Iterator[ClickHouse]:
    """A running ClickHouse that the test may stop, kill, freeze and start again."""
    with ClickHouse(tmp_path / "clickhouse") as running:
        yield running
